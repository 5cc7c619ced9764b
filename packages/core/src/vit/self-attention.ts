/** Multi-head self-attention, its output projection, and the residual connection around them. */
import type { Tensor3D, Tensor4D } from '@tensorflow/tfjs-core'
import { type AttentionTensors, attention, attentionProbabilities, linear, qkv } from '../ops/index.ts'
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
  readonly #query: ParameterScope
  readonly #key: ParameterScope
  readonly #value: ParameterScope
  readonly #projection: ParameterScope
  readonly #dropPathProbability: number

  constructor(config: ViTConfig, parameters: ParameterScope, dropPathProbability: number) {
    this.#config = config
    this.#query = parameters.scope('attention.query')
    this.#key = parameters.scope('attention.key')
    this.#value = parameters.scope('attention.value')
    this.#projection = parameters.scope('output.dense')
    this.#dropPathProbability = dropPathProbability
  }

  /** What scores are multiplied by. */
  get scale(): number {
    const { qkScale, hiddenSize, numAttentionHeads } = this.#config
    return qkScale ?? (hiddenSize / numAttentionHeads) ** -0.5
  }

  tensors(): AttentionTensors {
    const [query, key, value, projection] = [this.#query, this.#key, this.#value, this.#projection]
    const { qkvBias } = this.#config
    return {
      queryWeight: query.matrix('weight'),
      keyWeight: key.matrix('weight'),
      valueWeight: value.matrix('weight'),
      queryBias: qkvBias ? query.vector('bias') : undefined,
      keyBias: qkvBias ? key.vector('bias') : undefined,
      valueBias: qkvBias ? value.vector('bias') : undefined,
      projectionWeight: projection.matrix('weight'),
      projectionBias: projection.vector('bias'),
    }
  }

  /** residual + attention(x): [B, N, C] → [B, Q, C], of the tokens that the residual [B, Q, C] has: the first ones. */
  forward(x: Tensor3D, residual: Tensor3D, context: ForwardContext): AttentionResult {
    const { numAttentionHeads: numHeads, hiddenDropoutProb } = this.#config
    const { scale } = this
    const stored = 'computed' as const // nothing but products reads either
    const { queryWeight, keyWeight, valueWeight, queryBias, keyBias, valueBias, ...projection } = this.tensors()
    const biases = queryBias && keyBias && valueBias && ([queryBias, keyBias, valueBias] as const)
    const packed = qkv(x, [queryWeight, keyWeight, valueWeight], biases, { stored }) // [B, N, 3·C]
    const dropoutProbability = context.whileTraining(this.#config.attentionProbsDropoutProb)
    const options = { numHeads, scale, dropoutProbability, seed: context.nextSeed(), stored }
    const attended = attention(packed, { ...options, queries: residual.shape[1] }) // [B, Q, C]
    const drops = context.branchDrops(hiddenDropoutProb, this.#dropPathProbability)
    return {
      output: linear(attended, projection.projectionWeight, projection.projectionBias, { residual, ...drops }),
      ...(context.outputAttentions && { probabilities: attentionProbabilities(packed, { numHeads, scale }) }),
    }
  }
}
