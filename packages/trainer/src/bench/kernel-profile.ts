/** What a piece of work spends in each kernel of the current backend, Vitral's and tfjs's own. */
import {
  engine,
  getKernelsForBackend,
  type KernelConfig,
  type NamedAttrMap,
  type NamedTensorInfoMap,
  registerKernel,
  type TensorInfo,
  unregisterKernel,
  util,
} from '@tensorflow/tfjs-core'
import { elementsOf } from '@vitral/core/sizes'
import { isFusion } from '@vitral/core/tape'

export interface KernelCall {
  kernel: string
  milliseconds: number
  /** Shapes by name, of the tensors that were given. */
  inputs: Record<string, number[]>
  outputs: number[][]
  attributes: NamedAttrMap
  /** Bytes of all these tensors, as they are stored. */
  bytes: number
}

/**
 * Runs `f` and tells every kernel call in it. Kernels that call kernels count both. What is one kernel for several ops is
 * set aside: the ops run apart, so that each is seen.
 *
 * Times are true only where a kernel has finished when it returns: on native, wasm and cpu, not on webgpu.
 */
export async function profileKernels(f: () => Promise<void>): Promise<KernelCall[]> {
  const calls: KernelCall[] = []
  const kernels = getKernelsForBackend(engine().backendName)
  replace(
    kernels,
    kernels.filter(({ kernelName }) => !isFusion(kernelName)).map(config => timed(config, calls)),
  )
  try {
    await f()
  } finally {
    replace(getKernelsForBackend(engine().backendName), kernels)
  }
  return calls
}

function replace(present: readonly KernelConfig[], wanted: readonly KernelConfig[]): void {
  for (const { kernelName, backendName } of present) unregisterKernel(kernelName, backendName)
  for (const config of wanted) registerKernel(config)
}

function timed(config: KernelConfig, calls: KernelCall[]): KernelConfig {
  return {
    ...config,
    kernelFunc: params => {
      const inputs = shapesOf(params.inputs)
      const bytes = bytesOf(Object.values(params.inputs))
      const began = performance.now()
      const result = config.kernelFunc(params)
      const milliseconds = performance.now() - began
      const outputs = (Array.isArray(result) ? result : [result]) as TensorInfo[]
      calls.push({
        kernel: config.kernelName,
        milliseconds,
        inputs,
        outputs: outputs.map(({ shape }) => shape),
        attributes: params.attrs ?? {},
        bytes: bytes + bytesOf(outputs),
      })
      return result
    },
  }
}

/** `native` stores some tensors in less than their type says. */
function bytesOf(tensors: readonly (TensorInfo | undefined)[]): number {
  const backend = engine().backend as { storedBytes?(tensor: TensorInfo): number }
  const bytes = tensors.map(tensor => {
    if (!tensor) return 0
    return backend.storedBytes?.(tensor) ?? elementsOf(tensor.shape) * util.bytesPerElement(tensor.dtype)
  })
  return bytes.reduce((sum, size) => sum + size, 0)
}

const shapesOf = (inputs: NamedTensorInfoMap): Record<string, number[]> =>
  Object.fromEntries(
    Object.entries(inputs).flatMap(([name, tensor]) => (tensor === undefined ? [] : [[name, tensor.shape]])),
  )
