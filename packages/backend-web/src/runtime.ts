/** Where this program runs. A worker has no `document`, and some bundlers give a browser a `process`: ask for Node's version. */

/** Node or Bun, with files and packages on disk. */
export const onNode: boolean = typeof process !== 'undefined' && process.versions?.node !== undefined
