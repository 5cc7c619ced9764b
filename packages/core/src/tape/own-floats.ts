/** The memory of a tensor itself, where a backend has it in this process and the tensor does not share it. */
import { engine, type KernelBackend, type Tensor } from '@tensorflow/tfjs-core'

/** What a backend has whose kernels work on memory that JavaScript sees. */
interface InPlaceBackend extends KernelBackend {
  floatsInPlace?(tensor: Tensor): Float32Array
}

/**
 * What is written there is the tensor's, at no cost; the memory is another's once the tensor is disposed.
 *
 * @param x float32
 * @returns nothing where the values cannot be reached, or belong to other tensors too: then read a copy with `dataSync`
 */
export function ownFloats(x: Tensor): Float32Array | undefined {
  const backend: InPlaceBackend = engine().backend
  return backend.floatsInPlace && backend.refCount(x.dataId) === 1 ? backend.floatsInPlace(x) : undefined
}
