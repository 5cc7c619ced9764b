/** Vitral on its backend `wasm`, in whatever engine runs this file; the first argument may be a precision. */
import { setWasmThreads, wasmInfo } from '@vitral/backend-web'
import { type ComputeDtype, useBackend } from '@vitral/core'
import { modelWork } from './model.ts'
import { serve } from './serve.ts'

const precision = (process.argv[3] ? process.argv[2] : 'float32') as ComputeDtype
const engine = process.versions.bun ? `Bun ${process.versions.bun}` : `Node ${process.versions.node}`

await serve(async options => {
  await useBackend('wasm')
  setWasmThreads(options.threads)
  const title = `Vitral wasm (${wasmInfo().instructionSet}), ${engine}${precision === 'float32' ? '' : `, ${precision}`}`
  return modelWork(title, options, precision)
})
