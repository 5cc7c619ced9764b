/**
 * The same model composed of stock tfjs operations on the stock WASM backend: where one would be without own kernels.
 * That backend has SIMD but, outside a browser, no threads.
 */
import { setWasmPaths, version_wasm } from '@tensorflow/tfjs-backend-wasm'
import { setBackend } from '@tensorflow/tfjs-core'
import { modelWork } from './model.ts'
import { serve } from './serve.ts'

await serve(async options => {
  setWasmPaths(new URL('.', import.meta.resolve('@tensorflow/tfjs-backend-wasm')).pathname)
  if (!(await setBackend('wasm'))) throw new Error('The stock WASM backend could not start.')
  return modelWork(`tfjs ${version_wasm}, wasm, 1 thread`, options)
})
