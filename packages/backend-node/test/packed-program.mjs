// What a user of the published package writes: a made-up image's class, and its logits, with the native kernels.
import { tensor4d } from '@tensorflow/tfjs-core'
import { useBackend, ViTForImageClassification } from '@vitral/core'

await useBackend('native')
const model = new ViTForImageClassification(
  { hiddenSize: 24, numHiddenLayers: 2, numAttentionHeads: 3, imageSize: 32, patchSize: 8, numLabels: 5 },
  { seed: 1 },
)
const pixels = Float32Array.from({ length: 3 * 32 * 32 }, (_, i) => Math.sin(i))
const logits = [...(await model.forward(tensor4d(pixels, [1, 3, 32, 32])).logits.data())]
console.log(JSON.stringify({ label: model.config.id2label[logits.indexOf(Math.max(...logits))], logits }))
