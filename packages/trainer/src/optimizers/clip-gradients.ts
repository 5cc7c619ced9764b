/**
 * Clipping, by the global norm or by value. Neither touches the gradients: both give a clip that the optimizer's step takes,
 * whose kernel reads every gradient anyway. Scaling them here would cost one more pass over the memory.
 */
import type { Tensor } from '@tensorflow/tfjs-core'
import { gradNorm } from '@vitral/core/ops'

/** Gradients by the parameters' names, as given by `model.valueAndGrads`. */
export type Gradients = Record<string, Tensor>

/** What an optimizer does to each gradient before it uses it. */
export interface GradientClip {
  /** Factor of every element. */
  scale: number
  /** Largest size of an element after that; larger ones are cut to it. */
  limit: number
}

/** A clip by the norm. */
export interface NormClip extends GradientClip {
  /** The global 2-norm before this clip. */
  norm: number
}

const none: GradientClip = { scale: 1, limit: Infinity }

/**
 * A clip to a global 2-norm: by it `optimizer.step` scales the gradients by max / (norm + 1e-6), where that is below 1.
 * torch.nn.utils.clip_grad_norm_, but that the gradients stay as they are.
 *
 * @param before a clip to apply first
 * @returns the clip, with the norm of the gradients
 * @throws when `max` is not a positive number, or there is no gradient, or `before` clips by value
 * @example
 * const clip = await clipGradNorm(grads, 1) // { norm: 5, scale: 0.2, limit: Infinity }
 * optimizer.step(grads, clip)
 */
export async function clipGradNorm(grads: Gradients, max: number, before: GradientClip = none): Promise<NormClip> {
  if (!(max > 0)) throw new Error(`clipGradNorm: max is ${max}; expected a number above 0.`)
  if (before.limit < Infinity)
    throw new Error('clipGradNorm: the gradients are clipped by value already; clip by the norm first.')
  const measured = gradNorm(Object.values(grads))
  const norm = before.scale * ((await measured.data())[0] as number)
  measured.dispose()
  return { norm, scale: before.scale * Math.min(1, max / (norm + 1e-6)), limit: before.limit }
}

/**
 * A clip of every element to ±max. torch.nn.utils.clip_grad_value_, but that the gradients stay as they are.
 *
 * @param before a clip to apply first, such as that of clipGradNorm
 * @throws when `max` is not a positive number
 * @example
 * optimizer.step(grads, clipGradValue(0.5, await clipGradNorm(grads, 1)))
 */
export function clipGradValue(max: number, before: GradientClip = none): GradientClip {
  if (!(max > 0)) throw new Error(`clipGradValue: max is ${max}; expected a number above 0.`)
  return { scale: before.scale, limit: Math.min(before.limit, max) }
}
