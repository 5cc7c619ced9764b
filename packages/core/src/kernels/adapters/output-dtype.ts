import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { Autocast } from '../arguments.ts'
import type { KernelBackend } from '../backend.ts'

/** The format in which an op's result is wanted. */
export interface OutputDtypeAttribute {
  /** 'compute' where products alone read it, and round it to theirs. */
  outputDtype: 'float32' | 'compute'
}

/** A new tensor for a result, in half the memory where that takes nothing from those that read it. */
export function allocateOutput(
  backend: KernelBackend,
  shape: number[],
  { outputDtype, dtype }: OutputDtypeAttribute & Autocast,
): { info: TensorInfo; values: Float32Array | Uint16Array } {
  return outputDtype === 'compute' && dtype === 'bfloat16' ? backend.allocateBf16(shape) : backend.allocate(shape)
}
