/** Multi-head self-attention with its output projection. */
import { type Tensor1D, type Tensor3D, zeros } from '@tensorflow/tfjs-core'
import type { AttentionTensors } from '../ops/fused/encoder-layer.ts'
import { linear } from '../ops/index.ts'
import { type AttentionParts, attend } from './attend.ts'
import type { Branch, Normed } from './branch.ts'
import type { ViTConfig } from './config.ts'
import { classToken } from './embeddings.ts'
import type { LayerPass } from './forward-pass.ts'
import { ScaledDense } from './layer-scale.ts'
import type { ParameterScope } from './parameter-scope.ts'

export class ViTAttention {
  readonly #config: ViTConfig
  readonly #query: ParameterScope
  readonly #key: ParameterScope
  readonly #value: ParameterScope
  readonly #projection: ScaledDense
  readonly #parts: AttentionParts

  /** @param layer the parameters of the layer */
  constructor(config: ViTConfig, layer: ParameterScope, sharedBias?: ParameterScope) {
    const attention = layer.scope('attention.attention')
    this.#config = config
    this.#query = attention.scope('query')
    this.#key = attention.scope('key')
    this.#value = attention.scope('value')
    const layerScale = config.layerScaleInit === null ? undefined : layer.scope('layer_scale1')
    this.#projection = new ScaledDense(layer.scope('attention.output.dense'), layerScale)
    this.#parts = {
      config,
      queryNorm: config.qkNorm ? attention.scope('query_norm') : undefined,
      keyNorm: config.qkNorm ? attention.scope('key_norm') : undefined,
      bias: config.relativePositionBias === 'layer' ? attention.scope('relative_position_bias') : sharedBias,
    }
  }

  tensors(): AttentionTensors {
    const [query, key, value] = [this.#query, this.#key, this.#value]
    const { qkvBias, keyBias, hiddenSize } = this.#config
    const { weight, bias } = this.#projection.tensors()
    return {
      queryWeight: query.matrix('weight'),
      keyWeight: key.matrix('weight'),
      valueWeight: value.matrix('weight'),
      queryBias: qkvBias ? query.vector('bias') : undefined,
      keyBias: qkvBias ? (keyBias ? key.vector('bias') : zeros<Tensor1D['rankType']>([hiddenSize])) : undefined,
      valueBias: qkvBias ? value.vector('bias') : undefined,
      projectionWeight: weight,
      projectionBias: bias,
    }
  }

  /** [B, N, C] → [B, N, C], or [B, 1, C] where the class token alone attends. */
  forward(x: Normed, pass: LayerPass): Branch {
    return ({ residual, ...drops }) => {
      const { projectionWeight, projectionBias, ...projections } = this.tensors()
      const attended = attend(x, projections, this.#parts, pass)
      const own: Tensor3D = pass.classTokenOnly ? classToken(residual) : residual
      return linear(attended, projectionWeight, projectionBias, { residual: own, ...drops })
    }
  }

  dispose(): void {
    this.#projection.dispose()
  }
}
