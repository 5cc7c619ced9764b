/** Stands in for node.ts in browsers: what wants a file system says that there is none. */
import type * as node from './node.ts'

const refuse = (): never => {
  throw new Error('A browser has no folders and files with a path; this works in Node, Bun and Deno.')
}

export const basename: typeof node.basename = refuse
export const createHash: typeof node.createHash = refuse as never
export const dirname: typeof node.dirname = refuse
export const existsSync: typeof node.existsSync = refuse
export const join: typeof node.join = refuse
export const mkdir: typeof node.mkdir = refuse
export const open: typeof node.open = refuse
export const readFile: typeof node.readFile = refuse
export const readdir: typeof node.readdir = refuse
export const rename: typeof node.rename = refuse
export const resolve: typeof node.resolve = refuse
export const rm: typeof node.rm = refuse
export const stat: typeof node.stat = refuse
export const statfs: typeof node.statfs = refuse

/** Bytes of memory; a browser does not say, and has no more than 64-bit WebAssembly's limit. */
export const totalmem = (): number => 2 ** 34
