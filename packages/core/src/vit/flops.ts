/** The floating-point operations of a ViT; a multiplication and an addition count as two. */
import {
  architectureDefaults,
  featureSize,
  hasPlainAttention,
  numPrefixTokens,
  readsClassToken,
  type ViTArchitecture,
} from './architecture.ts'
import type { ViTConfig } from './config.ts'

/** What of ViTConfig the work depends on; switches that are left out are ViT's. */
export type FlopsConfig = Partial<ViTArchitecture> &
  Pick<
    ViTConfig,
    | 'hiddenSize'
    | 'numHiddenLayers'
    | 'numAttentionHeads'
    | 'intermediateSize'
    | 'imageSize'
    | 'patchSize'
    | 'numChannels'
    | 'numLabels'
  >

/**
 * What one image's logits need: the matrix products, which are all but about 1 % of the work. Of the last layer these are
 * the class token's alone (`classAttention`) where nothing else is read; a pass that gives every token's hidden state does
 * more. An attention pooling head is left out.
 *
 * @example
 * forwardFlops(namedConfig('vit-base-patch16-224', { numLabels: 1000 })) // 32.2e9
 */
export function forwardFlops(given: FlopsConfig): number {
  const config = { ...architectureDefaults, ...given }
  const { hiddenSize, numHiddenLayers, numAttentionHeads, intermediateSize, numChannels, numLabels } = config
  const [height, width] = pair(config.imageSize)
  const [patchHeight, patchWidth] = pair(config.patchSize)
  const numPatches = Math.floor(height / patchHeight) * Math.floor(width / patchWidth)
  const tokens = numPatches + numPrefixTokens(config)
  const patchEmbedding = 2 * numPatches * numChannels * patchHeight * patchWidth * hiddenSize
  // One token that comes out of a layer: queries, keys and values; scores, and their product with the values; the
  // projection and both layers of the MLP. Of the last, scores and sums are of each head's own row of the tokens' width.
  const qkv = 2 * hiddenSize * 3 * hiddenSize
  const attention = 2 * 2 * tokens * hiddenSize
  const others = 2 * hiddenSize * (hiddenSize + (config.gatedMlp ? 3 : 2) * intermediateSize)
  const whole = tokens * (qkv + attention + others)
  const ofClassToken = qkv + numAttentionHeads * attention + others
  const last = readsClassToken(config) && hasPlainAttention(config) ? ofClassToken : whole
  const layers = numHiddenLayers > 0 ? (numHiddenLayers - 1) * whole + last : 0
  const classifier = 2 * featureSize(config) * numLabels
  return patchEmbedding + layers + classifier
}

/** One image's training step: each product has two more in the backward pass, for its two operands. */
export const trainingFlops = (config: FlopsConfig): number => 3 * forwardFlops(config)

const pair = (size: FlopsConfig['imageSize']): readonly [number, number] =>
  typeof size === 'number' ? [size, size] : size
