/** What Vitral uses of Node, Bun and Deno that browsers have not; `#platform` is browser.ts there. */

export { createHash } from 'node:crypto'
export { existsSync } from 'node:fs'
export { mkdir, open, readdir, readFile, rename, rm, stat, statfs } from 'node:fs/promises'
export { totalmem } from 'node:os'
export { basename, dirname, join, resolve } from 'node:path'
