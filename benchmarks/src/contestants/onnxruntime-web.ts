/** ONNX Runtime's WebAssembly provider through onnxruntime-web: SIMD and threads, every graph optimisation. */
import { readSafetensors } from '@vitral/core/files'
import { env, InferenceSession, Tensor } from 'onnxruntime-web'
import { serve } from './serve.ts'

await serve(async ({ onnxFile, int8OnnxFile, inputs, threads }, { name, inPage, precision }) => {
  env.wasm.numThreads = threads
  if (inPage) env.wasm.wasmPaths = '/onnxruntime-web/'
  const pixels = (await readSafetensors(inputs)).tensors.get('pixel_values')
  const pixelValues = new Tensor('float32', pixels?.data as Float32Array, pixels?.shape)
  const session = await InferenceSession.create(precision === 'int8' ? int8OnnxFile : onnxFile, {
    executionProviders: ['wasm'],
    graphOptimizationLevel: 'all',
    freeDimensionOverrides: { batch: pixelValues.dims[0] as number },
  })
  const logits = async () => (await session.run({ pixel_values: pixelValues })).logits?.data as Float32Array
  return {
    title: `onnxruntime-web ${env.versions.web}, wasm, ${name}${precision === 'float32' ? '' : `, ${precision}`}`,
    logits,
    run: async () => {
      await logits()
      return {}
    },
  }
})
