/** Checks of the ops' tensor arguments: one line where an op begins, one clear error where a caller is wrong. */
import type { Tensor } from '@tensorflow/tfjs-core'

const show = (shape: readonly (number | string)[]): string => `[${shape.join(', ')}]`

/** Sizes that may be 0: an empty batch has an empty result, and an image's sides are compared with a patch's elsewhere. */
const mayBeEmpty = ['batch', 'height', 'width']

/**
 * Requires `tensor` to be float32 of `expected` shape. A string there stands for any size and names it in the error; the
 * size is 1 or more, unless the name is one of `mayBeEmpty`.
 *
 * @throws naming the op, the argument, the shape it has and the shape it needs.
 */
export function checkShape(op: string, name: string, tensor: Tensor, expected: readonly (number | string)[]): void {
  const { shape, dtype } = tensor
  const fits =
    shape.length === expected.length && expected.every((size, i) => typeof size === 'string' || size === shape[i])
  if (!fits) throw new Error(`${op}: ${name} has shape ${show(shape)}; expected ${show(expected)}.`)
  const empty = expected.findIndex(
    (size, i) => shape[i] === 0 && typeof size === 'string' && !mayBeEmpty.includes(size),
  )
  if (empty >= 0)
    throw new Error(`${op}: ${name} has shape ${show(shape)}; expected ${expected[empty]} to be 1 or more.`)
  checkFloat(op, name, dtype)
}

/** Requires `tensor` to be float32 with `lastSize` elements along its last axis. */
export function checkLastAxis(op: string, name: string, tensor: Tensor, lastSize: number): void {
  const { shape, dtype } = tensor
  if (shape.length === 0 || shape.at(-1) !== lastSize)
    throw new Error(`${op}: ${name} has shape ${show(shape)}; expected [..., ${lastSize}].`)
  checkFloat(op, name, dtype)
}

/** Requires one or more tensors, all of them float32. */
export function checkGradients(op: string, gradients: readonly Tensor[]): void {
  if (gradients.length === 0) throw new Error(`${op}: there is no gradient; expected at least one.`)
  gradients.forEach(({ dtype }, i) => {
    checkFloat(op, `gradient ${i}`, dtype)
  })
}

/** Requires one of an option's words: a caller without types could pass another, which kernels would ignore. */
export function checkChoice(op: string, name: string, choice: string, known: readonly string[]): void {
  if (!known.includes(choice))
    throw new Error(`${op}: ${name} is '${choice}'; expected ${known.map(word => `'${word}'`).join(' or ')}.`)
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
