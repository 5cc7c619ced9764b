// What a user of the published packages writes, in plain Node and in Bun: an image in, a training step, a model folder out.
import { readFileSync } from 'node:fs'
import { memory, tensor4d } from '@tensorflow/tfjs-core'
import { useBackend, ViTForImageClassification, ViTImageProcessor } from '@vitral/core'
import { decodeImage } from '@vitral/datasets'
import { createOptimizer } from '@vitral/trainer'

const [image, folder] = process.argv.slice(2)
const { name } = await useBackend('auto')
const config = {
  hiddenSize: 24,
  numHiddenLayers: 2,
  numAttentionHeads: 3,
  mlpRatio: 2,
  imageSize: 32,
  patchSize: 8,
  numLabels: 2,
}
const model = new ViTForImageClassification(config, { seed: 1 })
const optimizer = createOptimizer('adamw', model.parameters(), { lr: 1e-2, weightDecay: 0.05 })

const processor = new ViTImageProcessor({ size: { height: 32, width: 32 } })
const decoded = await processor.preprocess(await decodeImage(readFileSync(image)))
const made = tensor4d(new Float32Array(3 * 32 * 32), [1, 3, 32, 32]) // by the program's own tfjs-core
const losses = []
for (const pixelValues of [decoded, made, decoded, decoded]) {
  const { loss, logits, grads } = model.valueAndGrads(pixelValues, [1])
  await optimizer.step(grads)
  losses.push((await loss.data())[0])
  for (const tensor of [loss, logits, ...Object.values(grads)]) tensor.dispose()
}
await model.savePretrained(folder)
await processor.savePretrained(folder)
console.log(JSON.stringify({ name, losses, tensors: memory().numTensors }))
