/** One pre-norm encoder layer: attention and MLP, each behind a norm and around a residual connection. */
import { type Tensor3D, type Tensor4D, type TensorContainer, tidy } from '@tensorflow/tfjs-core'
import { layerNorm } from '../ops/index.ts'
import { checkpoint } from '../tape/checkpoint.ts'
import { recomputed } from '../tape/recompute.ts'
import type { ViTConfig } from './config.ts'
import type { ForwardContext } from './forward-context.ts'
import { ViTMlp } from './mlp.ts'
import type { ParameterScope } from './parameters.ts'
import { ViTAttention } from './self-attention.ts'

export interface LayerResult {
  hiddenState: Tensor3D
  /** [B, H, N, N], when the context asks for it. */
  probabilities?: Tensor4D
}

export class ViTLayer {
  readonly #config: ViTConfig
  readonly #parameters: ParameterScope
  readonly #attention: ViTAttention
  readonly #mlp: ViTMlp

  /** @param dropPathProbability of this layer; it grows with depth. */
  constructor(config: ViTConfig, parameters: ParameterScope, dropPathProbability: number) {
    this.#config = config
    this.#parameters = parameters
    this.#attention = new ViTAttention(config, parameters.scope('attention'), dropPathProbability)
    this.#mlp = new ViTMlp(config, parameters, dropPathProbability)
  }

  /**
   * [B, N, C] → [B, N, C]. What the tape has not saved is freed here, not at the end of the model.
   *
   * @param freshContext gives the layer's context; with checkpointing it is asked once more in the backward pass
   */
  forward(input: Tensor3D, freshContext: () => ForwardContext): LayerResult {
    const { gradientCheckpointing, outputAttentions } = freshContext()
    if (!gradientCheckpointing || outputAttentions) return this.#forward(input, freshContext())
    const run = (x: Tensor3D) => this.#forward(x, freshContext()).hiddenState
    return { hiddenState: checkpoint(run, input, this.#parameters.all()) }
  }

  #forward(input: Tensor3D, context: ForwardContext): LayerResult {
    return tidy(() => {
      const { output, probabilities } = this.#attention.forward(this.#norm('layernorm_before', input), input, context)
      const hiddenState = this.#mlp.forward(this.#norm('layernorm_after', output), output, context)
      const result: LayerResult = { hiddenState }
      if (probabilities) result.probabilities = probabilities
      return result as LayerResult & TensorContainer
    }) as LayerResult
  }

  #norm(name: string, x: Tensor3D): Tensor3D {
    const norm = this.#parameters.scope(name)
    const [weight, bias] = [norm.vector('weight'), norm.vector('bias')]
    return recomputed(input => layerNorm(input, weight, bias, this.#config.layerNormEps), x)
  }
}
