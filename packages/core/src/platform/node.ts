/** What Vitral uses of Node, Bun and Deno that browsers have in another way; `#platform` is browser.ts there. */

export { totalmem } from 'node:os'
export { disk } from '../files/disk/node-disk.ts'
export { createSha256 } from '../files/sha256/node-sha256.ts'
