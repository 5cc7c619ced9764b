import { checkInteger } from '@vitral/core/check'
import { Random } from '../random/random.ts'
import { seedFor } from '../random/seeds.ts'
import type { Sampler } from './sampler.ts'

/**
 * Every example once, in another order each epoch, drawn from (seed, epoch) (torch.utils.data.RandomSampler).
 *
 * @param seed uint32
 */
export function shuffledSampler(length: number, seed: number): Sampler {
  checkInteger('shuffledSampler: length', length, 0)
  checkInteger('shuffledSampler: seed', seed, 0)
  return {
    name: `shuffled(${length}, seed ${seed})`,
    length,
    order: epoch => ({ indices: new Random(seedFor(seed, 'order', epoch)).permutation(length) }),
  }
}
