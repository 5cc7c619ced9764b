/** Multi-head self-attention with its output projection. */
import type { Tensor3D } from '@tensorflow/tfjs-core'
import type { AttentionTensors } from '../ops/fused/encoder-layer.ts'
import { linear } from '../ops/index.ts'
import { attend } from './attend.ts'
import type { Branch, Normed } from './branch.ts'
import { attentionScale, type ViTConfig } from './config.ts'
import { classToken } from './embeddings.ts'
import type { LayerPass } from './forward-pass.ts'
import type { ParameterScope } from './parameter-scope.ts'

export class ViTAttention {
  readonly #config: ViTConfig
  readonly #query: ParameterScope
  readonly #key: ParameterScope
  readonly #value: ParameterScope
  readonly #projection: ParameterScope

  constructor(config: ViTConfig, parameters: ParameterScope) {
    this.#config = config
    this.#query = parameters.scope('attention.query')
    this.#key = parameters.scope('attention.key')
    this.#value = parameters.scope('attention.value')
    this.#projection = parameters.scope('output.dense')
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

  /** [B, N, C] → [B, N, C], or [B, 1, C] where the class token alone attends. */
  forward(x: Normed, pass: LayerPass): Branch {
    return ({ residual, ...drops }) => {
      const { projectionWeight, projectionBias, ...projections } = this.tensors()
      const { numAttentionHeads: numHeads } = this.#config
      const attended = attend(x, projections, { numHeads, scale: attentionScale(this.#config) }, pass)
      const own: Tensor3D = pass.classTokenOnly ? classToken(residual) : residual
      return linear(attended, projectionWeight, projectionBias, { residual: own, ...drops })
    }
  }
}
