/** The transformer without a head: embeddings, encoder, final norm. */
import type { Tensor3D, Tensor4D } from '@tensorflow/tfjs-core'
import { layerNorm } from '../ops/index.ts'
import type { ViTConfig } from './config.ts'
import { type EmbeddingOptions, ViTEmbeddings } from './embeddings.ts'
import { type EncoderResult, ViTEncoder } from './encoder.ts'
import type { ForwardContext } from './forward-context.ts'
import type { ParameterScope } from './parameters.ts'

export class ViTBackbone {
  readonly #config: ViTConfig
  readonly #parameters: ParameterScope
  readonly #embeddings: ViTEmbeddings
  readonly #encoder: ViTEncoder

  constructor(config: ViTConfig, parameters: ParameterScope) {
    this.#config = config
    this.#parameters = parameters
    this.#embeddings = new ViTEmbeddings(config, parameters.scope('embeddings'))
    this.#encoder = new ViTEncoder(config, parameters.scope('encoder'))
  }

  /**
   * [B, c, h, w] → last hidden state [B, 1 + N, C], after the final norm, or [B, 1, C] where the context wants the class
   * token alone; the hidden states are before the norm.
   */
  forward(pixelValues: Tensor4D, context: ForwardContext, options: EmbeddingOptions): EncoderResult {
    const tokens = this.#embeddings.forward(pixelValues, context, options)
    const encoded = this.#encoder.forward(tokens, context)
    const norm = this.#parameters.scope('layernorm')
    const lastHiddenState: Tensor3D = layerNorm(
      encoded.lastHiddenState,
      norm.vector('weight'),
      norm.vector('bias'),
      this.#config.layerNormEps,
    )
    return { ...encoded, lastHiddenState }
  }
}
