import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { NativeBackend } from '../backend.ts'
import type { Autocast } from '../kernel.ts'

/** How an op's result is wanted: as 'computed' for products alone, which round it to what they compute in. */
export interface StoredAs {
  stored: 'float32' | 'computed'
}

/** A new tensor for a result, in half the memory where that takes nothing from those that read it. */
export function allocateStored(
  backend: NativeBackend,
  shape: number[],
  { stored, dtype }: StoredAs & Autocast,
): { info: TensorInfo; values: Float32Array | Uint16Array } {
  return stored === 'computed' && dtype === 'bfloat16' ? backend.allocateHalves(shape) : backend.allocate(shape)
}
