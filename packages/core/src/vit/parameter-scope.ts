/** A part of the parameters under a common prefix, typed by the rank the layer expects. */
import type { Tensor1D, Tensor2D, Tensor3D, Tensor4D, Variable } from '@tensorflow/tfjs-core'
import { type Adapters, adaptedWeight } from './lora/lora.ts'
import { type Parameters, tensorOf } from './parameters/parameters.ts'

export class ParameterScope {
  readonly #parameters: Parameters
  readonly #adapters: Adapters
  readonly #prefix: string
  /** Whole names by short ones: in a small model joining them takes as long as its kernels. */
  readonly #names = new Map<string, string>()

  constructor(parameters: Parameters, adapters: Adapters, prefix: string) {
    this.#parameters = parameters
    this.#adapters = adapters
    this.#prefix = prefix
  }

  scope(name: string): ParameterScope {
    return new ParameterScope(this.#parameters, this.#adapters, `${this.#prefix}${name}.`)
  }

  /** Every variable below the prefix. */
  all(): Variable[] {
    return [...this.#parameters].filter(([name]) => name.startsWith(this.#prefix)).map(([, parameter]) => parameter)
  }

  has(name: string): boolean {
    return this.#parameters.has(this.#nameOf(name))
  }

  vector(name: string): Tensor1D {
    return tensorOf(this.#get(name))
  }

  /** With its adapter, if it has one: then a new tensor, made within the caller's tidy. */
  matrix(name: string): Tensor2D {
    const weight: Tensor2D = tensorOf(this.#get(name))
    const adapter = this.#adapters.size > 0 ? this.#adapters.get(this.#nameOf(name)) : undefined
    return adapter ? adaptedWeight(weight, adapter) : weight
  }

  tokens(name: string): Tensor3D {
    return tensorOf(this.#get(name))
  }

  filters(name: string): Tensor4D {
    return tensorOf(this.#get(name))
  }

  #get(name: string): Variable {
    const whole = this.#nameOf(name)
    const found = this.#parameters.get(whole)
    if (!found) throw new Error(`The model has no parameter '${whole}'.`)
    return found
  }

  #nameOf(name: string): string {
    const known = this.#names.get(name)
    if (known !== undefined) return known
    const whole = this.#prefix + name
    this.#names.set(name, whole)
    return whole
  }
}
