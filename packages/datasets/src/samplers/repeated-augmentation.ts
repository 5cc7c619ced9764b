import { checkInteger } from '@vitral/core/check'
import { checkReplicas, type Replicas, rankShare } from './rank-share.ts'
import type { Sampler } from './sampler.ts'
import { sequentialSampler } from './sequential.ts'
import { shuffledSampler } from './shuffled.ts'

/** Settings of `repeatedAugmentationSampler`. */
export interface RepeatedAugmentationOptions extends Partial<Replicas> {
  /** Copies of each example, one after another in the order and so in different processes. @default 3 */
  numRepeats?: number
  /** Whether the order is drawn anew in each epoch. @default true */
  shuffle?: boolean
  /** Seed for the order, uint32; the same in every process. @default 0 */
  seed?: number
  /** An epoch has as many examples as the data set, rounded down to a multiple of this. @default 256 */
  selectedRound?: number
}

/**
 * Repeated augmentation (Hoffer et al. 2019, DeiT's RASampler): an epoch is as long as without it, but has a third of the
 * images, each three times with augmentations of its own.
 *
 * @throws naming the option that is out of range, or when the data set is smaller than selectedRound
 * @example
 * repeatedAugmentationSampler(1000, { shuffle: false }).order(0).indices // [0, 0, 0, 1, 1, 1, …], 768 of them
 */
export function repeatedAugmentationSampler(length: number, options: RepeatedAugmentationOptions = {}): Sampler {
  const { numReplicas = 1, rank = 0, numRepeats = 3, shuffle = true, seed = 0, selectedRound = 256 } = options
  checkReplicas('repeatedAugmentationSampler', { numReplicas, rank })
  checkInteger('repeatedAugmentationSampler: numRepeats', numRepeats, 1)
  checkInteger('repeatedAugmentationSampler: selectedRound', selectedRound, 1)
  if (length < selectedRound)
    throw new Error(
      `repeatedAugmentationSampler: the data set has ${length} examples, and an epoch is a multiple of ${selectedRound}; set selectedRound to at most ${length}.`,
    )
  const all = shuffle ? shuffledSampler(length, seed) : sequentialSampler(length)
  const share = Math.ceil((length * numRepeats) / numReplicas)
  const selected = Math.floor((length - (length % selectedRound)) / numReplicas)
  return {
    name: `repeatedAugmentation(${all.name}, ${numRepeats} repeats, rank ${rank} of ${numReplicas}, rounded to ${selectedRound})`,
    length: selected,
    order(epoch) {
      const once = all.order(epoch).indices
      const places = { length: length * numRepeats }
      const indices = Int32Array.from(places, (_, place) => once[Math.floor(place / numRepeats)] as number)
      const repeats = Int32Array.from(places, (_, place) => place % numRepeats)
      const mine = rankShare({ indices, repeats }, share * numReplicas, { numReplicas, rank }, numRepeats)
      return { indices: mine.indices.slice(0, selected), repeats: mine.repeats?.slice(0, selected) }
    },
  }
}
