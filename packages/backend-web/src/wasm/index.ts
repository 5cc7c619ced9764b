/** The `wasm` backend: stock tfjs, for machines without a GPU and without a C++ compiler. */
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'

let path: string | undefined

/** Where a browser finds the `.wasm` files of @tensorflow/tfjs-backend-wasm/dist; a folder's URL that ends in `/`. */
export function setWasmPath(url: string): void {
  path = url
}

/**
 * Registers the backend `wasm` with tfjs-core; `useBackend('wasm')` of @vitral/core calls it.
 *
 * @throws in Node and Bun when the files are missing from the installed package
 */
export async function startWasm(): Promise<void> {
  const folder = path ?? (await installedFolder())
  if (folder) setWasmPaths(folder)
  // In a browser the files are by default next to the script, which is where tfjs looks by itself.
}

/** The folder in node_modules, in Node and Bun. */
async function installedFolder(): Promise<string | undefined> {
  if (typeof document !== 'undefined' || typeof process === 'undefined') return undefined
  const [moduleName, pathName, fsName] = ['node:module', 'node:path', 'node:fs'] // bundlers must not follow them
  const { createRequire }: typeof import('node:module') = await import(/* @vite-ignore */ moduleName)
  const { dirname, sep }: typeof import('node:path') = await import(/* @vite-ignore */ pathName)
  const { existsSync }: typeof import('node:fs') = await import(/* @vite-ignore */ fsName)
  const folder = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm')) + sep
  if (!existsSync(`${folder}tfjs-backend-wasm-simd.wasm`))
    throw new Error(`${folder} lacks tfjs-backend-wasm-simd.wasm; install @tensorflow/tfjs-backend-wasm again.`)
  return folder
}
