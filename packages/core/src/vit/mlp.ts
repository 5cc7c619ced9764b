/** The feed-forward half of a layer: two linear layers with a GELU between them. */
import type { MlpTensors } from '../ops/fused/encoder-layer.ts'
import { linear } from '../ops/index.ts'
import type { Branch, Normed } from './branch.ts'
import type { ParameterScope } from './parameter-scope.ts'

export class ViTMlp {
  readonly #up: ParameterScope
  readonly #down: ParameterScope

  constructor(parameters: ParameterScope) {
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

  /** [B, N, C] → [B, N, C] */
  forward(x: Normed): Branch {
    return end => {
      const { upWeight, upBias, downWeight, downBias } = this.tensors()
      const hidden = linear(x('compute'), upWeight, upBias, { outputDtype: 'compute' }) // [B, N, 4·C]
      return linear(hidden, downWeight, downBias, { inputActivation: 'gelu', ...end }) // [B, N, C]
    }
  }
}
