/** ONNX Runtime through onnxruntime-node, with every graph optimisation: its CPU provider, or that of the first argument. */
import { readSafetensors } from '@vitral/core/files'
import { env, InferenceSession, Tensor } from 'onnxruntime-node'
import { serve } from './serve.ts'

const provider = process.argv[3] ? (process.argv[2] as string) : 'cpu'

await serve(async ({ onnxFile, inputs, threads }) => {
  const pixels = (await readSafetensors(inputs)).tensors.get('pixel_values')
  const pixelValues = new Tensor('float32', pixels?.data as Float32Array, pixels?.shape)
  const session = await InferenceSession.create(onnxFile, {
    executionProviders: [provider],
    graphOptimizationLevel: 'all',
    intraOpNumThreads: threads,
    freeDimensionOverrides: { batch: pixelValues.dims[0] as number }, // lets the optimiser see every shape
    extra: { session: { force_spinning_stop: '1' } }, // its threads would otherwise spin into the next one's turn
  })
  const logits = async () => (await session.run({ pixel_values: pixelValues })).logits?.data as Float32Array
  return {
    title: `onnxruntime-node ${env.versions.node}${provider === 'cpu' ? '' : `, ${provider}`}`,
    logits,
    run: async () => {
      await logits()
      return {}
    },
  }
})
