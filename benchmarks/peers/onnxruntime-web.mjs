/** ONNX Runtime's WebAssembly provider through onnxruntime-web, in Node: SIMD and threads, every graph optimisation. */
import { readFile } from 'node:fs/promises'
import { readSafetensors } from '@vitral/core/files'
import * as ort from 'onnxruntime-web'
import { serve } from './line-protocol.mjs'

await serve(async ({ onnxFile, inputs, threads }) => {
  ort.env.wasm.numThreads = threads
  const pixels = (await readSafetensors(inputs)).tensors.get('pixel_values')
  const pixelValues = new ort.Tensor('float32', pixels.data, pixels.shape)
  const session = await ort.InferenceSession.create(new Uint8Array(await readFile(onnxFile)), {
    executionProviders: ['wasm'],
    graphOptimizationLevel: 'all',
    freeDimensionOverrides: { batch: pixelValues.dims[0] },
  })
  const logits = async () => (await session.run({ pixel_values: pixelValues })).logits.data
  const run = async () => {
    await logits()
    return {}
  }
  return { title: `onnxruntime-web ${ort.env.versions.web}, wasm, Node ${process.versions.node}`, logits, run }
})
