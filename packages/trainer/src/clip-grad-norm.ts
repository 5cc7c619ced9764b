/**
 * Clipping by the global norm. The factor is kept beside the gradients and multiplied in by the optimizer's own kernel,
 * which reads every gradient anyway: scaling them here would cost one more pass over the memory.
 */
import type { Tensor } from '@tensorflow/tfjs-core'
import { gradNorm } from '@vitral/core/ops'

/** Gradients by the parameters' names, as given by `model.valueAndGrads`. */
export type Gradients = Record<string, Tensor>

const scales = new WeakMap<Gradients, () => number>()

/** The factor that the optimizer applies to these gradients: 1, unless they were clipped. */
export const gradientScale = (grads: Gradients): number => scales.get(grads)?.() ?? 1

/**
 * Clips gradients to a global 2-norm: the next `optimizer.step(grads)` sees them scaled by max / (norm + 1e-6), where
 * that is below 1. torch.nn.utils.clip_grad_norm_.
 *
 * @returns the norm before clipping. It need not be awaited, except on WebGPU, which cannot be read synchronously.
 * @throws when `max` is not a positive number, or there is no gradient.
 * @example
 * const norm = await clipGradNorm(grads, 1)
 * optimizer.step(grads)
 */
export async function clipGradNorm(grads: Gradients, max: number): Promise<number> {
  if (!(max > 0)) throw new Error(`clipGradNorm: max is ${max}; expected a number above 0.`)
  const before = gradientScale(grads)
  const measured = gradNorm(Object.values(grads))
  const scale = (norm: number) => before * Math.min(1, max / (norm + 1e-6))
  scales.set(grads, () => scale(before * (measured.dataSync()[0] as number)))
  const norm = before * ((await measured.data())[0] as number)
  scales.set(grads, () => scale(norm))
  measured.dispose()
  return norm
}
