/**
 * Clipping, by the global norm or by value. What is to be done is kept beside the gradients, and the optimizer's own kernel
 * does it, which reads every gradient anyway: doing it here would cost one more pass over the memory.
 */
import type { Tensor } from '@tensorflow/tfjs-core'
import { gradNorm } from '@vitral/core/ops'

/** Gradients by the parameters' names, as given by `model.valueAndGrads`. */
export type Gradients = Record<string, Tensor>

interface Clipping {
  scale: () => number
  limit: number
}

const none: Clipping = { scale: () => 1, limit: Infinity }
const clippings = new WeakMap<Gradients, Clipping>()
const clippingOf = (grads: Gradients): Clipping => clippings.get(grads) ?? none

/** What the optimizer does to these gradients: a factor, and then a limit to the size of each element. */
export function gradientClipping(grads: Gradients): { gradientScale: number; gradientLimit: number } {
  const { scale, limit } = clippingOf(grads)
  return { gradientScale: scale(), gradientLimit: limit }
}

/**
 * Clips gradients to a global 2-norm: the next `optimizer.step(grads)` sees them scaled by max / (norm + 1e-6), where
 * that is below 1. torch.nn.utils.clip_grad_norm_.
 *
 * @returns the norm before clipping. It need not be awaited, except on WebGPU, which cannot be read synchronously.
 * @throws when `max` is not a positive number, or there is no gradient, or the gradients are clipped by value already
 * @example
 * const norm = await clipGradNorm(grads, 1)
 * optimizer.step(grads)
 */
export async function clipGradNorm(grads: Gradients, max: number): Promise<number> {
  if (!(max > 0)) throw new Error(`clipGradNorm: max is ${max}; expected a number above 0.`)
  const { scale: scaleBefore, limit } = clippingOf(grads)
  if (limit < Infinity)
    throw new Error('clipGradNorm: the gradients are clipped by value already; clip by the norm first.')
  const before = scaleBefore()
  const measured = gradNorm(Object.values(grads))
  const scale = (norm: number) => before * Math.min(1, max / (norm + 1e-6))
  clippings.set(grads, { scale: () => scale(before * (measured.dataSync()[0] as number)), limit })
  const norm = before * ((await measured.data())[0] as number)
  clippings.set(grads, { scale: () => scale(norm), limit })
  measured.dispose()
  return norm
}

/**
 * Clips every element of the gradients to ±max: the next `optimizer.step(grads)` sees them so, after the factor of
 * clipGradNorm if that came before. torch.nn.utils.clip_grad_value_.
 *
 * @throws when `max` is not a positive number
 */
export function clipGradValue(grads: Gradients, max: number): void {
  if (!(max > 0)) throw new Error(`clipGradValue: max is ${max}; expected a number above 0.`)
  const { scale, limit } = clippingOf(grads)
  clippings.set(grads, { scale, limit: Math.min(limit, max) })
}
