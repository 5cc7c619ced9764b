/** Kernels that take any number of tensors know them by a letter and their index: g0, g1, … */
import type { Tensor } from '@tensorflow/tfjs-core'

/** The inputs `<prefix>0` to `<prefix>{count − 1}`, in order. */
export function numbered(inputs: { [name: string]: Tensor | undefined }, prefix: string, count: number): Tensor[] {
  return Array.from({ length: count }, (_, i) => inputs[`${prefix}${i}`] as Tensor)
}
