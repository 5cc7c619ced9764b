// What a user of the published package writes: a made-up image's class, and its logits, with the native kernels; and
// what @vitral/datasets calls, an image mirrored.
import { tensor4d } from '@tensorflow/tfjs-core'
import { nativeImageKernels } from '@vitral/backend-node/images'
import { useBackend, ViTForImageClassification } from '@vitral/core'

await useBackend('native')
const model = new ViTForImageClassification(
  { hiddenSize: 24, numHiddenLayers: 2, numAttentionHeads: 3, imageSize: 32, patchSize: 8, numLabels: 5 },
  { seed: 1 },
)
const pixels = Float32Array.from({ length: 3 * 32 * 32 }, (_, i) => Math.sin(i))
const logits = [...(await model.forward(tensor4d(pixels, [1, 3, 32, 32])).logits.data())]
const label = model.config.id2label[logits.indexOf(Math.max(...logits))]
const mirrored = new Uint8Array(6)
nativeImageKernels().flipRows(1, 2, 3, Uint8Array.of(1, 2, 3, 4, 5, 6), mirrored)
console.log(JSON.stringify({ label, logits, mirrored: [...mirrored] }))
