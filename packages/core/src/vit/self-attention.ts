/** Multi-head self-attention, its output projection, and the residual connection around them. */
import type { Tensor3D, Tensor4D } from '@tensorflow/tfjs-core'
import { attention, attentionProbabilities, linear, qkv } from '../ops/index.ts'
import type { ViTConfig } from './config.ts'
import type { ForwardContext } from './forward-context.ts'
import type { ParameterScope } from './parameters.ts'

export interface AttentionResult {
  output: Tensor3D
  /** [B, H, N, N], when the context asks for it. */
  probabilities?: Tensor4D
}

export class ViTAttention {
  readonly #config: ViTConfig
  readonly #parameters: ParameterScope
  readonly #dropPathProbability: number

  constructor(config: ViTConfig, parameters: ParameterScope, dropPathProbability: number) {
    this.#config = config
    this.#parameters = parameters
    this.#dropPathProbability = dropPathProbability
  }

  /** residual + attention(x): [B, N, C] → [B, N, C] */
  forward(x: Tensor3D, residual: Tensor3D, context: ForwardContext): AttentionResult {
    const { numAttentionHeads: numHeads, hiddenSize, hiddenDropoutProb, qkvBias } = this.#config
    const scale = this.#config.qkScale ?? (hiddenSize / numHeads) ** -0.5
    const { query, key, value } = this.#projections()
    const packed = qkv(
      x,
      [query.matrix('weight'), key.matrix('weight'), value.matrix('weight')],
      qkvBias ? [query.vector('bias'), key.vector('bias'), value.vector('bias')] : undefined,
    ) // [B, N, 3·C]
    const dropoutProbability = context.whileTraining(this.#config.attentionProbsDropoutProb)
    const attended = attention(packed, { numHeads, scale, dropoutProbability, seed: context.nextSeed() }) // [B, N, C]
    const dense = this.#parameters.scope('output.dense')
    const drops = context.branchDrops(hiddenDropoutProb, this.#dropPathProbability)
    return {
      output: linear(attended, dense.matrix('weight'), dense.vector('bias'), { residual, ...drops }),
      ...(context.outputAttentions && { probabilities: attentionProbabilities(packed, { numHeads, scale }) }),
    }
  }

  #projections(): { query: ParameterScope; key: ParameterScope; value: ParameterScope } {
    const scope = this.#parameters.scope('attention')
    return { query: scope.scope('query'), key: scope.scope('key'), value: scope.scope('value') }
  }
}
