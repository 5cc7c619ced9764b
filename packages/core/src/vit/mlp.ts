/** The feed-forward half of a layer: two linear layers with an activation between them, which a third may gate. */
import { mul, type Tensor3D } from '@tensorflow/tfjs-core'
import type { MlpTensors } from '../ops/fused/encoder-layer.ts'
import { activate, linear } from '../ops/index.ts'
import type { Branch, Normed } from './branch.ts'
import type { ViTConfig } from './config.ts'
import { ScaledDense } from './layer-scale.ts'
import type { ParameterScope } from './parameter-scope.ts'

export class ViTMlp {
  readonly #config: ViTConfig
  readonly #up: ParameterScope
  readonly #gate: ParameterScope
  readonly #down: ScaledDense

  /** @param layer the parameters of the layer */
  constructor(config: ViTConfig, layer: ParameterScope) {
    this.#config = config
    this.#up = layer.scope('intermediate.dense')
    this.#gate = layer.scope('intermediate.gate')
    const layerScale = config.layerScaleInit === null ? undefined : layer.scope('layer_scale2')
    this.#down = new ScaledDense(layer.scope('output.dense'), layerScale)
  }

  tensors(): MlpTensors {
    const { weight, bias } = this.#down.tensors()
    return {
      upWeight: this.#up.matrix('weight'),
      upBias: this.#up.vector('bias'),
      downWeight: weight,
      downBias: bias,
    }
  }

  /** [B, N, C] → [B, N, C] */
  forward(x: Normed): Branch {
    return end => {
      const { upWeight, upBias, downWeight, downBias } = this.tensors()
      const { hiddenAct, gatedMlp } = this.#config
      if (hiddenAct === 'gelu' && !gatedMlp) {
        const hidden = linear(x('compute'), upWeight, upBias, { outputDtype: 'compute' }) // [B, N, 4·C]
        return linear(hidden, downWeight, downBias, { inputActivation: 'gelu', ...end }) // [B, N, C]
      }
      const input = x('compute')
      const up = linear(input, upWeight, upBias) // [B, N, 4·C]
      const hidden = gatedMlp ? mul<Tensor3D>(activate(this.#gated(input), hiddenAct), up) : activate(up, hiddenAct)
      return linear(hidden, downWeight, downBias, end) // [B, N, C]
    }
  }

  dispose(): void {
    this.#down.dispose()
  }

  #gated(input: Tensor3D): Tensor3D {
    return linear(input, this.#gate.matrix('weight'), this.#gate.vector('bias'))
  }
}
