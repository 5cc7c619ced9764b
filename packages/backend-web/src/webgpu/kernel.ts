/**
 * How a kernel of the backend `webgpu` is written: the place where tfjs's untyped inputs and attributes get their types.
 *
 *     const double = program({
 *       name: 'double',
 *       bindings: { x: 'f32', output: 'f32' },
 *       constants: { size: 'u32' },
 *       body: `
 *       let i = group * LANES + lane;
 *       if (i < constants.size) { output[i] = 2 * x[i]; }`,
 *     })
 *
 *     export const doubled = kernel<{ x: TensorInfo }, object>('VitralDouble', (backend, { x }) => {
 *       const { info, range } = backend.output(x.shape)
 *       const size = elementsOf(x.shape)
 *       backend.dispatch(double, { x: backend.range(x), output: range }, { size }, Math.ceil(size / 64))
 *       return info
 *     })
 *
 * A binding that an optional input or an unwanted gradient leaves out is undefined; the program must not touch it then, which
 * a constant tells it. `backend.scratch(bytes)` is memory for the time of the kernel. Memory of a tensor can be released and
 * reused as soon as a dispatch is recorded: the device runs dispatches in their order. A text that depends on the device
 * (`backend.device.features`) is a program of another name.
 */
import type { KernelConfig, KernelFunc, TensorInfo } from '@tensorflow/tfjs-core'
import type { WebgpuBackend } from './backend.ts'
import type { Range } from './memory.ts'

export type Outputs = TensorInfo | TensorInfo[]

/** A kernel as tfjs registers it. */
export type WebgpuKernel = KernelConfig

/** A kernel. An input that was not given is undefined. */
export function kernel<I, A>(
  kernelName: string,
  run: (backend: WebgpuBackend, inputs: I, attrs: A) => Outputs,
): WebgpuKernel {
  const kernelFunc: KernelFunc = ({ inputs, attrs, backend }) => {
    const own = backend as WebgpuBackend
    return own.runKernel(() => run(own, inputs as I, (attrs ?? {}) as A))
  }
  return { kernelName, kernelFunc, backendName: 'webgpu' }
}

/** The outputs of a gradient kernel: allocated as they are asked for by name, returned in the order of `wanted`. */
export class Gradients {
  readonly #backend: WebgpuBackend
  readonly #wanted: readonly string[]
  readonly #made = new Map<string, TensorInfo>()

  constructor(backend: WebgpuBackend, { wanted }: { wanted: readonly string[] }) {
    this.#backend = backend
    this.#wanted = wanted
  }

  wants(name: string): boolean {
    return this.#wanted.includes(name)
  }

  /** Memory for the gradient of an input, or undefined when it is not wanted. */
  range(name: string, shape: number[]): Range | undefined {
    if (!this.wants(name)) return undefined
    const { info, range } = this.#backend.output(shape)
    this.#made.set(name, info)
    return range
  }

  /** A gradient that is another tensor. */
  set(name: string, info: TensorInfo): void {
    this.#made.set(name, info)
  }

  all(): TensorInfo[] {
    return this.#wanted.map(name => this.#made.get(name) as TensorInfo)
  }
}
