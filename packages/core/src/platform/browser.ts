/** What node.ts has, of a browser. */

export { disk } from '../files/disk/opfs-disk.ts'
export { createSha256 } from '../files/sha256/browser-sha256.ts'

/** Bytes of memory; a browser does not say, and has no more than 64-bit WebAssembly's limit. */
export const totalmem = (): number => 2 ** 34
