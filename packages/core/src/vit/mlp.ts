/** The feed-forward half of a layer: two linear layers with a GELU between. */
import type { Tensor3D } from '@tensorflow/tfjs-core'
import { linear } from '../ops/index.ts'
import type { ViTConfig } from './config.ts'
import type { ForwardContext } from './forward-context.ts'
import type { ParameterScope } from './parameters.ts'

export class ViTMlp {
  readonly #config: ViTConfig
  readonly #up: ParameterScope
  readonly #down: ParameterScope

  constructor(config: ViTConfig, parameters: ParameterScope) {
    this.#config = config
    this.#up = parameters.scope('intermediate.dense')
    this.#down = parameters.scope('output.dense')
  }

  /** [B, N, C] → [B, N, C] */
  forward(x: Tensor3D, context: ForwardContext): Tensor3D {
    const hidden = linear(x, this.#up.matrix('weight'), this.#up.vector('bias')) // [B, N, 4·C]
    const [weight, bias] = [this.#down.matrix('weight'), this.#down.vector('bias')]
    const output = linear(hidden, weight, bias, { inputActivation: 'gelu' }) // [B, N, C]
    return context.dropout(output, this.#config.hiddenDropoutProb)
  }
}
