/** How a kernel is written: the one place where tfjs's untyped inputs and attributes get their types. */
import type { KernelConfig, KernelFunc, TensorInfo } from '@tensorflow/tfjs-core'
import { elementsOf } from '../sizes.ts'
import type { KernelBackend } from './backend.ts'
import type { ComputeDtype } from './calls.ts'

export type Outputs = TensorInfo | TensorInfo[]

/** A kernel as tfjs registers it, for any backend of this class. */
export type BackendKernel = Omit<KernelConfig, 'backendName'>

/** A kernel. An input that was not given is undefined. */
export function kernel<I, A>(
  kernelName: string,
  run: (backend: KernelBackend, inputs: I, attrs: A) => Outputs,
): BackendKernel {
  const kernelFunc: KernelFunc = ({ inputs, attrs, backend }) => {
    const own = backend as KernelBackend
    return own.runKernel(() => run(own, inputs as I, (attrs ?? {}) as A))
  }
  return { kernelName, kernelFunc }
}

/** Attributes that the op interface adds to every forward kernel. */
export interface Forward {
  /** Under a tape: the side outputs are wanted. */
  training: boolean
}

/** Attribute that it adds to both kernels of an op that autocast computes in half precision. */
export interface Autocast {
  /** What factors of products are rounded to. */
  dtype: ComputeDtype
}

/** The same of an op, or of a gradient, that has no int8: it is in float32 then. */
export const withoutInt8 = ({ dtype }: Autocast): ComputeDtype => (dtype === 'int8' ? 'float32' : dtype)

/** Attributes that it adds to every gradient kernel. */
export interface Backward {
  /** The inputs whose gradients are wanted, in the order of the result. */
  wanted: string[]
}

/** The outputs of a gradient kernel: allocated as they are asked for by name, returned in the order of `wanted`. */
export class Gradients {
  readonly #backend: KernelBackend
  readonly #wanted: readonly string[]
  readonly #made = new Map<string, TensorInfo>()

  constructor(backend: KernelBackend, { wanted }: Backward) {
    this.#backend = backend
    this.#wanted = wanted
  }

  wants(name: string): boolean {
    return this.#wanted.includes(name)
  }

  /** Memory for the gradient of an input, or null when it is not wanted. */
  floats(name: string, shape: number[]): Float32Array | null {
    if (!this.wants(name)) return null
    const { info, values } = this.#backend.allocate(shape)
    this.#made.set(name, info)
    return values
  }

  /** A gradient that is another tensor. */
  set(name: string, info: TensorInfo): void {
    this.#made.set(name, info)
  }

  all(): TensorInfo[] {
    return this.#wanted.map(name => this.#made.get(name) as TensorInfo)
  }
}

/** Leading dimensions of [..., C], flattened. */
export const rowsOf = ({ shape }: TensorInfo): number => elementsOf(shape.slice(0, -1))

export const sizeOf = ({ shape }: TensorInfo): number => elementsOf(shape)
