/** Tensors that are cheaper to compute again in the backward pass than to keep until then; state.ts tells the protocol. */
import { clone, engine, keep, type Tensor } from '@tensorflow/tfjs-core'
import { autocast, computeDtype } from './autocast.ts'
import { noGrad } from './no-grad.ts'
import { origins, remakers } from './state.ts'

/**
 * f(x), which the ops that would save it for their gradient do not keep: they keep x, which they share with others, and
 * compute f again. A layer norm is such: its result takes as much memory as its input, which its own gradient needs.
 *
 * @param f must give the same bits each time; it runs in the same precision
 * @example
 * const normed = recomputed(x => layerNorm(x, weight, bias, eps), hidden)
 */
export function recomputed<T extends Tensor>(f: (x: T) => T, x: T): T {
  const result = f(x)
  if (!engine().isTapeOn()) return result
  const dtype = computeDtype() // the backward pass runs outside of autocast
  origins.set(result, { f: input => autocast({ dtype }, () => f(input as T)), x })
  return result
}

/** Replaces what the tape's newest node has saved of the given inputs, in their order, by what they are made of. */
export function saveOrigins(inputs: readonly (Tensor | undefined)[]): void {
  const saved = engine().state.activeTape?.at(-1)?.saved
  if (!saved) return
  for (const [i, input] of inputs.entries()) {
    const origin = input && origins.get(input)
    if (!origin) continue
    const kept = noGrad(() => keep(clone(origin.x)))
    remakers.set(kept, origin.f)
    saved[i]?.dispose()
    saved[i] = kept
  }
}

/** Puts what was replaced back into a node's saved tensors, which its gradient reads. */
export function restoreSaved(saved: Tensor[]): void {
  for (const [i, kept] of saved.entries()) {
    const f = remakers.get(kept)
    if (!f) continue
    saved[i] = noGrad(() => keep(f(kept)))
    kept.dispose()
  }
}
