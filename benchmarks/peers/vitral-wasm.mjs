/**
 * Vitral's backend `wasm`, in Node or in Bun, of the built packages:
 *
 *   node peers/vitral-wasm.mjs PRECISION OPTIONS
 */
import { tensor4d } from '@tensorflow/tfjs-core'
import { setWasmThreads, wasmInfo } from '@vitral/backend-web'
import { autocast, noGrad, useBackend, ViTForImageClassification } from '@vitral/core'
import { readSafetensors } from '@vitral/core/files'
import { createOptimizer } from '@vitral/trainer'
import { serve } from './line-protocol.mjs'

const dtype = process.argv[2]
const engine = process.versions.bun ? `Bun ${process.versions.bun}` : `Node ${process.versions.node}`

await serve(async ({ modelFolder, inputs, threads, task, learningRate }) => {
  await useBackend('wasm')
  setWasmThreads(threads)
  const model = await ViTForImageClassification.fromPretrained(modelFolder)
  const { tensors } = await readSafetensors(inputs)
  const pixels = tensors.get('pixel_values')
  const pixelValues = tensor4d(pixels.data, pixels.shape)
  const labels = tensors.get('labels').data
  const computed = run =>
    autocast({ enabled: dtype !== 'float32', dtype: dtype === 'float32' ? 'bfloat16' : dtype }, run)
  const logits = async () => {
    const { logits } = noGrad(() => computed(() => model.forward(pixelValues)))
    const values = await logits.data()
    logits.dispose()
    return values
  }
  const infer = async () => {
    await logits()
    return {}
  }
  const optimizer = createOptimizer('adam', model.parameters(), { lr: learningRate })
  const train = async () => {
    const step = computed(() => model.valueAndGrads(pixelValues, labels))
    optimizer.step(step.grads)
    for (const gradient of Object.values(step.grads)) gradient.dispose()
    step.logits.dispose()
    const [loss] = await step.loss.data()
    step.loss.dispose()
    return { loss }
  }
  const title = `Vitral wasm (${wasmInfo().instructionSet}), ${engine}${dtype === 'float32' ? '' : `, ${dtype}`}`
  return { title, logits, run: task === 'inference' ? infer : train }
})
