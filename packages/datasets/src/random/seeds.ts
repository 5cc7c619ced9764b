/** Seeds for the places where chance is used; streams of different purposes never meet. */
import { deriveSeed } from '@vitral/core/image'

const purposes = { order: 0, transforms: 1, split: 2, repeats: 3, batches: 4 } as const

/** A uint32 that depends on all arguments: the run's seed, what it is for, and where (epoch, example, …). */
export function seedFor(seed: number, purpose: keyof typeof purposes, ...place: number[]): number {
  return deriveSeed(seed, purposes[purpose], ...place)
}
