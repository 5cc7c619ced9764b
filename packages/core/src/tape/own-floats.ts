/** Direct access to a tensor's memory, where the backend has it in this process and no other tensor shares it. */
import { engine, type KernelBackend, type Tensor, type TensorInfo, tensor } from '@tensorflow/tfjs-core'
import { elementsOf } from '../sizes.ts'
import { noteInPlaceWrite } from './in-place-writes.ts'

/** A backend whose kernels work on memory that JavaScript sees. */
interface InPlaceBackend extends KernelBackend {
  floatsInPlace?(tensor: Tensor): Float32Array
  allocate?(shape: number[]): { info: TensorInfo; values: Float32Array }
  /** Copies a tensor's values to the device at once, where they else wait in JavaScript for its first use (tfjs's WebGPU). */
  uploadToGPU?(dataId: object): void
}

/**
 * The tensor's own memory: writing there writes the tensor, without a copy. It may be another's once the tensor is disposed.
 *
 * @param x float32
 * @returns nothing where the values cannot be reached, or belong to other tensors too: then read a copy with `dataSync`
 */
export function ownFloats(x: Tensor): Float32Array | undefined {
  const backend: InPlaceBackend = engine().backend
  noteInPlaceWrite()
  return backend.floatsInPlace && backend.refCount(x.dataId) === 1 ? backend.floatsInPlace(x) : undefined
}

/**
 * A new float32 tensor whose values are written into its own memory, where a backend has that: an array would have to be
 * made, faulted in page by page, and copied. On a GPU it is there when this returns.
 *
 * @param fill writes every value; what it finds there is undefined
 */
export function filled(shape: number[], fill: (values: Float32Array) => void): Tensor {
  const backend: InPlaceBackend = engine().backend
  if (!backend.allocate) {
    const values = new Float32Array(elementsOf(shape))
    fill(values)
    const made = tensor(values, shape)
    backend.uploadToGPU?.(made.dataId)
    return made
  }
  const { info, values } = backend.allocate(shape)
  const made = engine().makeTensorFromTensorInfo(info)
  try {
    fill(values)
  } catch (error) {
    made.dispose()
    throw error
  }
  return made
}
