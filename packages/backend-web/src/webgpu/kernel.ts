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
 *       const size = sizeOf(x)
 *       backend.dispatch(double, { x: backend.range(x), output: range }, { size }, Math.ceil(size / DEFAULT_LANES))
 *       return info
 *     })
 *
 * A binding that an optional input or an unwanted gradient leaves out is undefined; the program must not touch it then, which
 * a constant tells it. `backend.scratch(bytes)` is memory for the time of the kernel. Memory of a tensor can be released and
 * reused as soon as a dispatch is recorded: the device runs dispatches in their order. A text that depends on the device
 * (`backend.device.features`) is a program of another name.
 */
import type { KernelConfig, KernelFunc, TensorInfo } from '@tensorflow/tfjs-core'
import { type Backward, GradientOutputs, type Outputs } from '@vitral/core/kernels/arguments'
import type { WebgpuBackend } from './backend.ts'
import type { Range } from './memory.ts'

/** A kernel as tfjs registers it, and as other kernels run it: `I` are its inputs, `A` its attributes. */
export interface WebgpuKernel<I = never, A = never> extends KernelConfig {
  /** Runs it within another kernel, which frees what it does not return. */
  run(backend: WebgpuBackend, inputs: I, attrs: A): TensorInfo[]
}

/** A kernel. An input that was not given is undefined. */
export function kernel<I, A>(
  kernelName: string,
  run: (backend: WebgpuBackend, inputs: I, attrs: A) => Outputs,
): WebgpuKernel<I, A> {
  const kernelFunc: KernelFunc = ({ inputs, attrs, backend }) => {
    const own = backend as WebgpuBackend
    return own.runKernel(() => run(own, inputs as I, (attrs ?? {}) as A))
  }
  return {
    ...{ kernelName, kernelFunc, backendName: 'webgpu' },
    run: (backend, inputs, attrs) => [backend.runKernel(() => run(backend, inputs, attrs))].flat(),
  }
}

/** The outputs of a gradient kernel, on the device. */
export class Gradients extends GradientOutputs<Range> {
  constructor(backend: WebgpuBackend, attrs: Backward) {
    super(shape => {
      const { info, range } = backend.output(shape)
      return { info, memory: range }
    }, attrs)
  }

  /** Memory for the gradient of an input, or undefined when it is not wanted. */
  range(name: string, shape: number[]): Range | undefined {
    return this.memory(name, shape) ?? undefined
  }
}
