/**
 * What dropout and drop path take away in training, as plain data: a probability and a seed for each place of each layer.
 * The seeds depend on the pass's seed, the layer and the place alone, so that no order of calls matters, and a layer that
 * gradient checkpointing computes again drops the same elements.
 */
import type { EncoderLayerDrops } from '../ops/fused/encoder-layer.ts'
import type { DropoutOptions } from '../ops/index.ts'
import { deriveSeed } from '../tape/random.ts'
import type { ViTConfig } from './config.ts'

/** Numbers of the places within a layer. A run repeats only while they stay: append, never renumber. */
const places = {
  attentionProbabilities: 0,
  afterAttentionDropout: 1,
  afterAttentionDropPath: 2,
  afterMlpDropout: 3,
  afterMlpDropPath: 4,
} as const

/** First steps from the pass's seed to those of the embeddings and of the layers. */
const EMBEDDINGS = 0
const LAYERS = 0x1a7e25

/** Dropout of the embeddings, [B, 1 + N, C]. */
export function embeddingDropout({ hiddenDropoutProb }: ViTConfig, seed: number): DropoutOptions {
  return { probability: hiddenDropoutProb, seed: deriveSeed(seed, EMBEDDINGS) }
}

/**
 * What one layer drops while it trains. Drop path grows linearly with depth, from 0 in the first layer to `dropPathRate`
 * in the last (Huang et al. 2016).
 *
 * @param seed of the forward pass
 * @param layer its index, from 0
 */
export function layerDrops(config: ViTConfig, seed: number, layer: number): EncoderLayerDrops {
  const { numHiddenLayers, attentionProbsDropoutProb, hiddenDropoutProb, dropPathRate } = config
  const seedOf = (place: keyof typeof places): number => deriveSeed(seed, LAYERS, layer, places[place])
  const branch = {
    dropoutProbability: hiddenDropoutProb,
    dropPathProbability: (dropPathRate * layer) / Math.max(1, numHiddenLayers - 1),
  }
  return {
    attention: { dropoutProbability: attentionProbsDropoutProb, seed: seedOf('attentionProbabilities') },
    afterAttention: {
      ...branch,
      dropoutSeed: seedOf('afterAttentionDropout'),
      dropPathSeed: seedOf('afterAttentionDropPath'),
    },
    afterMlp: { ...branch, dropoutSeed: seedOf('afterMlpDropout'), dropPathSeed: seedOf('afterMlpDropPath') },
  }
}

const noBranchDrops = { dropoutProbability: 0, dropoutSeed: 0, dropPathProbability: 0, dropPathSeed: 0 }

/** What a layer drops in inference. */
export const noDrops: EncoderLayerDrops = {
  attention: { dropoutProbability: 0, seed: 0 },
  afterAttention: noBranchDrops,
  afterMlp: noBranchDrops,
}
