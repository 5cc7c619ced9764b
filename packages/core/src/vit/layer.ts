/** One pre-norm encoder layer: the paper's equations 2 and 3 (Dosovitskiy et al. 2020, section 3.1). */
import type { Tensor3D, Variable } from '@tensorflow/tfjs-core'
import type { EncoderLayerTensors } from '../ops/fused/encoder-layer.ts'
import { normed, residual } from './branch.ts'
import type { ViTConfig } from './config.ts'
import type { LayerPass } from './forward-pass.ts'
import { ViTMlp } from './mlp.ts'
import { ViTNorm } from './norm.ts'
import type { ParameterScope } from './parameter-scope.ts'
import { ViTAttention } from './self-attention.ts'

export class ViTLayer {
  readonly #parameters: ParameterScope
  readonly #sharedBias: ParameterScope | undefined
  readonly #normBefore: ViTNorm
  readonly #attention: ViTAttention
  readonly #normAfter: ViTNorm
  readonly #mlp: ViTMlp

  /** @param sharedBias the table of relative positions that all layers have */
  constructor(config: ViTConfig, parameters: ParameterScope, sharedBias?: ParameterScope) {
    this.#parameters = parameters
    this.#sharedBias = sharedBias
    this.#normBefore = new ViTNorm(parameters.scope('layernorm_before'), config.layerNormEps)
    this.#attention = new ViTAttention(config, parameters, sharedBias)
    this.#normAfter = new ViTNorm(parameters.scope('layernorm_after'), config.layerNormEps)
    this.#mlp = new ViTMlp(config, parameters)
  }

  /** x + attention(norm(x)), then that + mlp(norm(that)): [B, N, C] → [B, N, C], or the class token alone, [B, 1, C]. */
  forward(x: Tensor3D, pass: LayerPass): Tensor3D {
    const { drops } = pass
    const attended = residual(x, this.#attention.forward(normed(this.#normBefore, x), pass), drops.afterAttention)
    return residual(attended, this.#mlp.forward(normed(this.#normAfter, attended)), drops.afterMlp)
  }

  /** The parameters by what they are for. */
  tensors(): EncoderLayerTensors {
    const [before, after] = [this.#normBefore.tensors(), this.#normAfter.tensors()]
    return {
      normBeforeWeight: before.weight,
      normBeforeBias: before.bias,
      ...this.#attention.tensors(),
      normAfterWeight: after.weight,
      normAfterBias: after.bias,
      ...this.#mlp.tensors(),
    }
  }

  /** Every variable of the layer, and those that it has in common with the others. */
  parameters(): Variable[] {
    return [...this.#parameters.all(), ...(this.#sharedBias?.all() ?? [])]
  }

  /** Frees what inference keeps beside the parameters. */
  dispose(): void {
    this.#attention.dispose()
    this.#mlp.dispose()
  }
}
