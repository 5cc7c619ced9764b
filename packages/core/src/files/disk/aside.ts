/** How a file or folder is called while it is written, beside what it will take the place of. */

/** Writers of the same file keep out of each other's way. */
export const aside = (path: string): string => `${path}.${globalThis.crypto.randomUUID()}.tmp`

/** Whether a name is one that a killed process left, or of Chromium's own files while they are written. */
export const isLeftover = (name: string): boolean =>
  /\.[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}\.tmp$|\.crswap$/.test(name)
