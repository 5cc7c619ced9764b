/** The feed-forward half of a layer: two linear layers with a GELU between, and the residual connection around them. */
import type { Tensor3D } from '@tensorflow/tfjs-core'
import { type LinearDrops, linear, type MlpTensors } from '../ops/index.ts'
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

  tensors(): MlpTensors {
    return {
      upWeight: this.#up.matrix('weight'),
      upBias: this.#up.vector('bias'),
      downWeight: this.#down.matrix('weight'),
      downBias: this.#down.vector('bias'),
    }
  }

  /** What is dropped of its result. */
  drops(context: ForwardContext): Required<LinearDrops> {
    return context.branchDrops(this.#config.hiddenDropoutProb, this.#dropPathProbability)
  }

  /** residual + MLP(x): [B, N, C] → [B, N, C] */
  forward(x: Tensor3D, residual: Tensor3D, drops: LinearDrops): Tensor3D {
    const { upWeight, upBias, downWeight, downBias } = this.tensors()
    const hidden = linear(x, upWeight, upBias, { outputDtype: 'compute' }) // [B, N, 4·C]
    return linear(hidden, downWeight, downBias, { inputActivation: 'gelu', residual, ...drops }) // [B, N, C]
  }
}
