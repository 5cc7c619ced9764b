/** The bits of one training step, the same in every thread: a hash of its loss and of all gradients. */
import { createHash } from 'node:crypto'
import { type Tensor, tensor4d } from '@tensorflow/tfjs-core'
import { ViTForImageClassification } from '@vitral/core'

export function trainingBits(): string {
  const config = {
    hiddenSize: 48,
    numHiddenLayers: 2,
    numAttentionHeads: 3,
    imageSize: 32,
    patchSize: 4,
    numLabels: 10,
  }
  const model = new ViTForImageClassification({ ...config, hiddenDropoutProb: 0.1 }, { seed: 3 })
  const pixels = Float32Array.from({ length: 8 * 3 * 32 * 32 }, (_, i) => Math.sin(i))
  const images = tensor4d(pixels, [8, 3, 32, 32])
  const { loss, logits, grads } = model.valueAndGrads(images, [0, 1, 2, 3, 4, 5, 6, 7], { training: true, seed: 5 })
  const hash = createHash('sha256')
  const results: Tensor[] = [loss, ...Object.values(grads)]
  for (const result of results) hash.update(result.dataSync() as Float32Array)
  for (const tensor of [images, logits, ...results]) tensor.dispose()
  model.dispose()
  return hash.digest('hex')
}
