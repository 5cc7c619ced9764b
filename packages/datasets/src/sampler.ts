/** The order of the examples in an epoch: a pure function of the epoch, so that every process computes the same. */
import { Random } from './random.ts'
import { seedFor } from './seeds.ts'

/** Indices of the examples, in the order of epoch `epoch`. */
export type Sampler = (epoch: number) => Int32Array

/** 0, 1, 2, … in every epoch. */
export function sequentialSampler(length: number): Sampler {
  return () => Int32Array.from({ length }, (_, i) => i)
}

/** Another order each epoch, drawn from (seed, epoch). */
export function shuffledSampler(length: number, seed: number): Sampler {
  return epoch => new Random(seedFor(seed, 'order', epoch)).permutation(length)
}
