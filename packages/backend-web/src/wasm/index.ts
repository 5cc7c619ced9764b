/** The `wasm` backend: stock tfjs, for machines without a GPU and without a C++ compiler. */
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import { onNode } from '../runtime.ts'

/** tfjs loads one of them: the fastest that the browser supports. */
const files = ['tfjs-backend-wasm.wasm', 'tfjs-backend-wasm-simd.wasm', 'tfjs-backend-wasm-threaded-simd.wasm']

let path: string | undefined

/**
 * Where the three `.wasm` files of @tensorflow/tfjs-backend-wasm/dist are: a folder's URL, in Node and Bun its path.
 * Call it before the backend starts. By default a browser looks beside the script, Node and Bun in node_modules.
 */
export function setWasmPath(folder: string): void {
  path = folder.endsWith('/') ? folder : `${folder}/`
}

/**
 * Registers the backend `wasm` with tfjs-core; `useBackend('wasm')` of @vitral/core calls it.
 *
 * @throws when a `.wasm` file is not where it is looked for; it may be called again after setWasmPath
 */
export async function startWasm(): Promise<void> {
  const folder = path ?? (onNode ? installedFolder() : besideScript())
  // Looked for first: once tfjs has failed to load them, it cannot be told another folder.
  await (onNode ? checkOnDisk(folder) : checkOnline(folder))
  setWasmPaths(folder)
}

/** Node's modules without an import, which bundlers would follow. */
const builtin = <T>(name: string): T => process.getBuiltinModule(name) as T

function installedFolder(): string {
  const { createRequire } = builtin<typeof import('node:module')>('module')
  const { dirname, sep } = builtin<typeof import('node:path')>('path')
  return dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm')) + sep
}

function besideScript(): string {
  const script = import.meta.url // apart from the next line: bundlers take `new URL('…', import.meta.url)` for a file
  return new URL('.', script || location.href).href
}

function checkOnDisk(folder: string): void {
  const { existsSync } = builtin<typeof import('node:fs')>('fs')
  const missing = files.find(file => !existsSync(folder + file))
  if (missing)
    throw new Error(`${folder} lacks ${missing}; install @tensorflow/tfjs-backend-wasm again, or correct setWasmPath.`)
}

async function checkOnline(folder: string): Promise<void> {
  await Promise.all(
    files.map(async file => {
      const url = new URL(folder + file, location.href).href
      const response = await fetch(url, { method: 'HEAD' }).catch((error: Error) => error)
      const trouble = whyNotWasm(response)
      if (trouble)
        throw new Error(
          `${url} cannot be loaded (${trouble}); serve the three .wasm files of @tensorflow/tfjs-backend-wasm/dist and ` +
            'name their folder with setWasmPath(url), of @vitral/backend-web, before the backend starts.',
        )
    }),
  )
}

function whyNotWasm(response: Response | Error): string | undefined {
  if (response instanceof Error) return response.message
  if (!response.ok) return `HTTP ${response.status}`
  // A site of one page answers every unknown address with that page.
  if (response.headers.get('content-type')?.startsWith('text/html')) return 'the server sent a web page instead'
  return undefined
}
