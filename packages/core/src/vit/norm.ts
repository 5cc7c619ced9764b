/** A layer norm with its parameters. */
import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core'
import { layerNorm, type OutputDtype } from '../ops/index.ts'
import type { ParameterScope } from './parameter-scope.ts'

export class ViTNorm {
  readonly #parameters: ParameterScope
  readonly #eps: number

  constructor(parameters: ParameterScope, eps: number) {
    this.#parameters = parameters
    this.#eps = eps
  }

  tensors(): { weight: Tensor1D; bias: Tensor1D } {
    return { weight: this.#parameters.vector('weight'), bias: this.#parameters.vector('bias') }
  }

  /** [..., C] → [..., C] */
  forward<T extends Tensor>(x: T, outputDtype: OutputDtype = 'float32'): T {
    const { weight, bias } = this.tensors()
    return layerNorm(x, weight, bias, this.#eps, { outputDtype })
  }
}
