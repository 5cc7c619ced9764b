/** How a kernel is written: the one place where tfjs's untyped inputs and attributes get their types. */
import type { KernelConfig, KernelFunc } from '@tensorflow/tfjs-core'
import { type Autocast, type Backward, GradientOutputs, type Outputs } from './arguments.ts'
import type { KernelBackend } from './backend.ts'
import type { ComputeDtype } from './calls.ts'

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

/** The same of an op, or of a gradient, that has no int8: it is in float32 then. */
export const withoutInt8 = ({ dtype }: Autocast): ComputeDtype => (dtype === 'int8' ? 'float32' : dtype)

/** The outputs of a gradient kernel, in the kernels' memory. */
export class Gradients extends GradientOutputs<Float32Array> {
  constructor(backend: KernelBackend, attrs: Backward) {
    super(shape => {
      const { info, values } = backend.allocate(shape)
      return { info, memory: values }
    }, attrs)
  }

  /** Memory for the gradient of an input, or null when it is not wanted. */
  floats(name: string, shape: number[]): Float32Array | null {
    return this.memory(name, shape)
  }
}
