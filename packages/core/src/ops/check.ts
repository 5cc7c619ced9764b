/** Shape checks of the ops' arguments: one line where an op begins, one clear error where a caller is wrong. */
import type { Tensor } from '@tensorflow/tfjs-core'

const show = (shape: readonly (number | string)[]): string => `[${shape.join(', ')}]`

/**
 * Requires `tensor` to be float32 of `expected` shape, in which a string stands for any size and is what the error says.
 *
 * @throws naming the op, the argument, the shape it has and the shape it needs.
 */
export function checkShape(op: string, name: string, tensor: Tensor, expected: readonly (number | string)[]): void {
  const { shape, dtype } = tensor
  const fits =
    shape.length === expected.length && expected.every((size, i) => typeof size === 'string' || size === shape[i])
  if (!fits) throw new Error(`${op}: ${name} has shape ${show(shape)}; expected ${show(expected)}.`)
  checkFloat(op, name, dtype)
}

/** Requires `tensor` to be float32 with `lastSize` elements along its last axis. */
export function checkLastAxis(op: string, name: string, tensor: Tensor, lastSize: number): void {
  const { shape, dtype } = tensor
  if (shape.length === 0 || shape.at(-1) !== lastSize)
    throw new Error(`${op}: ${name} has shape ${show(shape)}; expected [..., ${lastSize}].`)
  checkFloat(op, name, dtype)
}

/** Requires `0 ≤ probability < 1`: at 1 nothing would be kept, and the rest divided by zero. */
export function checkProbability(op: string, name: string, probability: number): void {
  if (!(probability >= 0 && probability < 1))
    throw new Error(`${op}: ${name} is ${probability}; expected a number from 0 up to, but not including, 1.`)
}

function checkFloat(op: string, name: string, dtype: string): void {
  if (dtype !== 'float32')
    throw new Error(`${op}: ${name} is ${dtype}; expected float32. Convert it with tf.cast(tensor, 'float32').`)
}
