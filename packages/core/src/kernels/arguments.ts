/** What tfjs passes to kernels of any backend and gets from them: the attributes that the op interface adds, and the outputs. */
import type { TensorInfo } from '@tensorflow/tfjs-core'
import { elementsOf } from '../sizes.ts'
import type { ComputeDtype } from './calls.ts'

/** What a kernel returns. */
export type Outputs = TensorInfo | TensorInfo[]

/** Attributes that the op interface adds to every forward kernel. */
export interface Forward {
  /** Under a tape: the side outputs are wanted. */
  training: boolean
}

/** Attribute that it adds to both kernels of an op that autocast computes in half precision. */
export interface Autocast<Dtype extends string = ComputeDtype> {
  /** What factors of products are rounded to. */
  dtype: Dtype
}

/** Attributes that it adds to every gradient kernel. */
export interface Backward {
  /** The inputs whose gradients are wanted, in the order of the result. */
  wanted: string[]
}

/** The outputs of a gradient kernel: allocated as they are asked for by name, returned in the order of `wanted`. */
export class GradientOutputs<Memory> {
  readonly #allocate: (shape: number[]) => { info: TensorInfo; memory: Memory }
  readonly #wanted: readonly string[]
  readonly #made = new Map<string, TensorInfo>()

  /** `allocate` makes the tensor of one output, and says where its values go. */
  constructor(allocate: (shape: number[]) => { info: TensorInfo; memory: Memory }, { wanted }: Backward) {
    this.#allocate = allocate
    this.#wanted = wanted
  }

  /** Whether the gradient of an input is wanted. */
  wants(name: string): boolean {
    return this.#wanted.includes(name)
  }

  /** Memory for the gradient of an input, or null when it is not wanted. */
  memory(name: string, shape: number[]): Memory | null {
    if (!this.wants(name)) return null
    const { info, memory } = this.#allocate(shape)
    this.#made.set(name, info)
    return memory
  }

  /** A gradient that is another tensor. */
  set(name: string, info: TensorInfo): void {
    this.#made.set(name, info)
  }

  /** All that are wanted. */
  all(): TensorInfo[] {
    return this.#wanted.map(name => this.#made.get(name) as TensorInfo)
  }
}

/** Leading dimensions of [..., C], flattened. */
export const rowsOf = ({ shape }: TensorInfo): number => elementsOf(shape.slice(0, -1))

/** All dimensions, flattened. */
export const sizeOf = ({ shape }: TensorInfo): number => elementsOf(shape)

/** Inputs of a step op, of which there are as many as a model has parameters. */
export type IndexedInputs = Record<string, TensorInfo>

/** The inputs `<prefix>0`, `<prefix>1`, … */
export const indexedInputs = (inputs: IndexedInputs, prefix: string, count: number): TensorInfo[] =>
  Array.from({ length: count }, (_, i) => inputs[`${prefix}${i}`] as TensorInfo)
