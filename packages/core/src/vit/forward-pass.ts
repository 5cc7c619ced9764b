/** One forward pass: whether it trains, its seed, and what it outputs. Plain data that every part reads and none changes. */
import type { Tensor4D } from '@tensorflow/tfjs-core'
import type { EncoderLayerDrops } from '../ops/fused/encoder-layer.ts'
import type { Grid } from '../ops/index.ts'

export interface ForwardPassOptions {
  /** Whether dropout and drop path act. @default false */
  training?: boolean
  /** Seed for dropout and drop path; see `layerDrops`. @default 0 */
  seed?: number
  outputAttentions?: boolean
  /**
   * Layers keep their inputs alone for the gradient, and are computed again in the backward pass: less memory for more
   * time. HF's `gradient_checkpointing`. Without effect where attentions are asked for. @default false
   */
  gradientCheckpointing?: boolean
  outputHiddenStates?: boolean
}

export interface ForwardPass extends Required<ForwardPassOptions> {
  /** Whether the last layer computes nothing but the class token, [B, 1, C]. */
  classTokenOnly: boolean
}

/**
 * The pass with all its options.
 *
 * @param classTokenOnly whether nothing but the class token is read of the last layer; without effect where hidden states
 *   or attentions are asked for, which are of all tokens
 */
export function forwardPass(options: ForwardPassOptions, classTokenOnly = false): ForwardPass {
  const { training = false, seed = 0, outputAttentions = false, outputHiddenStates = false } = options
  const { gradientCheckpointing = false } = options
  return {
    training,
    seed,
    outputAttentions,
    outputHiddenStates,
    gradientCheckpointing: gradientCheckpointing && !outputAttentions,
    classTokenOnly: classTokenOnly && !outputAttentions && !outputHiddenStates,
  }
}

/** The pass through one layer. */
export interface LayerPass {
  drops: EncoderLayerDrops
  /** Rows and columns of the patches, for positions that the attention knows. */
  grid: Grid
  /** Whether nothing but the class token comes out, [B, 1, C]. */
  classTokenOnly: boolean
  /** Called with the attention's probabilities [B, H, N, N], where they are wanted. */
  onProbabilities?: (probabilities: Tensor4D) => void
}
