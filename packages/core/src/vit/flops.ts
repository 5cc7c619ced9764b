/** The floating-point operations of a ViT; a multiplication and an addition count as two. */
import type { ViTConfig } from './config.ts'

/** What of ViTConfig the work depends on. */
export type FlopsConfig = Pick<
  ViTConfig,
  'hiddenSize' | 'numHiddenLayers' | 'intermediateSize' | 'imageSize' | 'patchSize' | 'numChannels' | 'numLabels'
>

/**
 * One image's forward pass: the matrix products, which are all but about 1 % of the work.
 *
 * @example
 * forwardFlops(namedConfig('vit-base-patch16-224', { numLabels: 1000 })) // 35.1e9
 */
export function forwardFlops(config: FlopsConfig): number {
  const { hiddenSize, numHiddenLayers, intermediateSize, numChannels, numLabels } = config
  const [height, width] = pair(config.imageSize)
  const [patchHeight, patchWidth] = pair(config.patchSize)
  const numPatches = Math.floor(height / patchHeight) * Math.floor(width / patchWidth)
  const tokens = numPatches + 1
  const patchEmbedding = 2 * numPatches * numChannels * patchHeight * patchWidth * hiddenSize
  const linear = 2 * tokens * hiddenSize * (4 * hiddenSize + 2 * intermediateSize) // q, k, v, output; both of the MLP
  const attention = 2 * 2 * tokens * tokens * hiddenSize // scores, and their product with the values
  return patchEmbedding + numHiddenLayers * (linear + attention) + 2 * hiddenSize * numLabels
}

/** One image's training step: each product has two more in the backward pass, for its two operands. */
export const trainingFlops = (config: FlopsConfig): number => 3 * forwardFlops(config)

const pair = (size: FlopsConfig['imageSize']): readonly [number, number] =>
  typeof size === 'number' ? [size, size] : size
