/** A linear layer whose result is scaled by a factor for each column, as one linear layer. */
import { engine, keep, type Tensor1D, type Tensor2D } from '@tensorflow/tfjs-core'
import { scaleRows } from '../ops/index.ts'
import { inPlaceWrites } from '../tape/in-place-writes.ts'
import type { ParameterScope } from './parameter-scope.ts'

interface DenseTensors {
  weight: Tensor2D
  bias: Tensor1D
}

export class ScaledDense {
  readonly #dense: ParameterScope
  readonly #layerScale: ParameterScope | undefined
  /** What inference computes with, made once: kernels pack such weights, which takes as long as a small batch. */
  #scaled: (DenseTensors & { age: readonly unknown[] }) | undefined

  /** @param layerScale the factors; none for a plain layer */
  constructor(dense: ParameterScope, layerScale: ParameterScope | undefined) {
    this.#dense = dense
    this.#layerScale = layerScale
  }

  /**
   * Weight and bias, with the layer scale in them where there is one. The kernels of plain layers compute with them, and
   * the gradients of factors and weights come from theirs. Under a tape they are new tensors, within the caller's tidy;
   * otherwise they stay until a parameter changes.
   */
  tensors(): DenseTensors {
    const own = { weight: this.#dense.matrix('weight'), bias: this.#dense.vector('bias') }
    if (!this.#layerScale) return own
    const factors = this.#layerScale.vector('lambda1')
    const scaled = (): DenseTensors => ({
      weight: scaleRows(own.weight, factors),
      bias: scaleRows(own.bias, factors),
    })
    if (engine().state.gradientDepth > 0) {
      this.dispose()
      return scaled()
    }
    const age = [own.weight.dataId, own.bias.dataId, factors.dataId, inPlaceWrites()]
    if (this.#scaled?.age.every((part, i) => part === age[i])) return this.#scaled
    this.dispose()
    const made = scaled()
    this.#scaled = { weight: keep(made.weight), bias: keep(made.bias), age }
    return this.#scaled
  }

  /** Frees what inference keeps. */
  dispose(): void {
    this.#scaled?.weight.dispose()
    this.#scaled?.bias.dispose()
    this.#scaled = undefined
  }
}
