/** One pre-norm encoder layer: attention and MLP, each behind a norm and around a residual connection. */
import { type Tensor3D, type Tensor4D, type TensorContainer, tidy } from '@tensorflow/tfjs-core'
import {
  type EncoderLayerDrops,
  type EncoderLayerTensors,
  encoderLayer,
  layerNorm,
  type OutputDtype,
} from '../ops/index.ts'
import { checkpoint } from '../tape/checkpoint.ts'
import { recomputed } from '../tape/recompute.ts'
import type { ViTConfig } from './config.ts'
import { classToken } from './embeddings.ts'
import type { ForwardContext } from './forward-context.ts'
import { ViTMlp } from './mlp.ts'
import type { ParameterScope } from './parameters.ts'
import { attentionScale, ViTAttention } from './self-attention.ts'

export interface LayerResult {
  /** [B, N, C], or of the class token alone [B, 1, C]. */
  hiddenState: Tensor3D
  /** [B, H, N, N], when the context asks for it. */
  probabilities?: Tensor4D
}

export class ViTLayer {
  readonly #config: ViTConfig
  readonly #parameters: ParameterScope
  readonly #normBefore: ParameterScope
  readonly #normAfter: ParameterScope
  readonly #attention: ViTAttention
  readonly #mlp: ViTMlp

  /** @param dropPathProbability of this layer; it grows with depth. */
  constructor(config: ViTConfig, parameters: ParameterScope, dropPathProbability: number) {
    this.#config = config
    this.#parameters = parameters
    this.#normBefore = parameters.scope('layernorm_before')
    this.#normAfter = parameters.scope('layernorm_after')
    this.#attention = new ViTAttention(config, parameters.scope('attention'), dropPathProbability)
    this.#mlp = new ViTMlp(config, parameters, dropPathProbability)
  }

  /** The parameters by what they are for. */
  tensors(): EncoderLayerTensors {
    return {
      normBeforeWeight: this.#normBefore.vector('weight'),
      normBeforeBias: this.#normBefore.vector('bias'),
      ...this.#attention.tensors(),
      normAfterWeight: this.#normAfter.vector('weight'),
      normAfterBias: this.#normAfter.vector('bias'),
      ...this.#mlp.tensors(),
    }
  }

  /**
   * [B, N, C] → [B, N, C], or [B, 1, C] where the context wants the class token alone. What the tape has not saved is
   * freed here, not at the end of the model.
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
      const drops = { ...this.#attention.drops(context), afterMlp: this.#mlp.drops(context) }
      const fused = context.outputAttentions || context.classTokenOnly ? undefined : this.#fused(input, drops)
      if (fused) return { hiddenState: fused }
      const normed = this.#norm(this.#normBefore, input, this.#attention.reads(context, drops))
      const residual = context.classTokenOnly ? classToken(input) : input
      const { output, probabilities } = this.#attention.forward(normed, residual, context, drops)
      const hiddenState = this.#mlp.forward(this.#norm(this.#normAfter, output, 'compute'), output, drops.afterMlp)
      const result: LayerResult = { hiddenState }
      if (probabilities) result.probabilities = probabilities
      return result as LayerResult & TensorContainer
    }) as LayerResult
  }

  #fused(x: Tensor3D, drops: EncoderLayerDrops): Tensor3D | undefined {
    const { numAttentionHeads: numHeads, layerNormEps: eps } = this.#config
    return encoderLayer(() => ({ x, ...this.tensors() }), {
      numHeads,
      scale: attentionScale(this.#config),
      eps,
      ...drops,
    })
  }

  #norm(norm: ParameterScope, x: Tensor3D, outputDtype: OutputDtype): Tensor3D {
    const [weight, bias] = [norm.vector('weight'), norm.vector('bias')]
    const { layerNormEps: eps } = this.#config
    return recomputed(input => layerNorm(input, weight, bias, eps, { outputDtype }), x)
  }
}
