/** The feed-forward half of a layer: two linear layers with a GELU between, and the residual connection around them. */
import type { Tensor3D } from '@tensorflow/tfjs-core'
import { linear } from '../ops/index.ts'
import type { ViTConfig } from './config.ts'
import type { ForwardContext } from './forward-context.ts'
import type { ParameterScope } from './parameters.ts'

export class ViTMlp {
  readonly #config: ViTConfig
  readonly #dropPathProbability: number
  readonly #up: ParameterScope
  readonly #down: ParameterScope

  constructor(config: ViTConfig, parameters: ParameterScope, dropPathProbability: number) {
    this.#config = config
    this.#dropPathProbability = dropPathProbability
    this.#up = parameters.scope('intermediate.dense')
    this.#down = parameters.scope('output.dense')
  }

  /** residual + MLP(x): [B, N, C] → [B, N, C] */
  forward(x: Tensor3D, residual: Tensor3D, context: ForwardContext): Tensor3D {
    const hidden = linear(x, this.#up.matrix('weight'), this.#up.vector('bias')) // [B, N, 4·C]
    const [weight, bias] = [this.#down.matrix('weight'), this.#down.vector('bias')]
    const drops = context.branchDrops(this.#config.hiddenDropoutProb, this.#dropPathProbability)
    return linear(hidden, weight, bias, { inputActivation: 'gelu', residual, ...drops }) // [B, N, C]
  }
}
