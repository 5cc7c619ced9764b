// What a page does, without what differs between browsers and Bun: the image is made up, so that no decoder is in it.
import { useBackend, ViTForImageClassification, ViTImageProcessor } from '@vitral/core'

/**
 * Classifies a made-up image with a model from a seed.
 *
 * @returns the backend and the logits
 */
export async function classify(backend) {
  const { name } = await useBackend(backend)
  const model = new ViTForImageClassification(
    { hiddenSize: 48, numHiddenLayers: 2, numAttentionHeads: 3, imageSize: 32, patchSize: 8, numLabels: 5 },
    { seed: 1 },
  )
  const processor = new ViTImageProcessor({ size: { height: 32, width: 32 } })
  const data = Uint8Array.from({ length: 40 * 50 * 3 }, (_, i) => (i * 7919) >> 5)
  const { logits } = model.forward(await processor.preprocess({ width: 40, height: 50, channels: 3, data }))
  return { name, logits: [...(await logits.data())] }
}
