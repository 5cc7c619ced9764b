/** ONNX Runtime's WebAssembly provider through onnxruntime-web: SIMD and threads, every graph optimisation. For Node; the first
 * argument may be int8. */
import { readFile } from 'node:fs/promises'
import { readSafetensors } from '@vitral/core/files'
import { env, InferenceSession, Tensor } from 'onnxruntime-web'
import { serve } from './serve.ts'

const int8 = process.argv[2] === 'int8'

await serve(async ({ onnxFile, int8OnnxFile, inputs, threads }) => {
  env.wasm.numThreads = threads
  const pixels = (await readSafetensors(inputs)).tensors.get('pixel_values')
  const pixelValues = new Tensor('float32', pixels?.data as Float32Array, pixels?.shape)
  const session = await InferenceSession.create(new Uint8Array(await readFile(int8 ? int8OnnxFile : onnxFile)), {
    executionProviders: ['wasm'],
    graphOptimizationLevel: 'all',
    freeDimensionOverrides: { batch: pixelValues.dims[0] as number },
  })
  const logits = async () => (await session.run({ pixel_values: pixelValues })).logits?.data as Float32Array
  return {
    title: `onnxruntime-web ${env.versions.web}, wasm, Node ${process.versions.node}${int8 ? ', int8' : ''}`,
    logits,
    run: async () => {
      await logits()
      return {}
    },
  }
})
