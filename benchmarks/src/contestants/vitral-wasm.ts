/** Vitral on its backend `wasm`, in whatever engine runs this file. */
import { setWasmThreads, wasmInfo } from '@vitral/backend-web'
import { useBackend } from '@vitral/core'
import { modelWork } from './model.ts'
import { serve } from './serve.ts'

await serve(async (options, { name, precision }) => {
  await useBackend('wasm')
  setWasmThreads(options.threads)
  const title = `Vitral wasm (${wasmInfo().instructionSet}), ${name}${precision === 'float32' ? '' : `, ${precision}`}`
  return modelWork(title, options, precision)
})
