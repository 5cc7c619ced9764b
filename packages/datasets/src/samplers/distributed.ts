import { checkReplicas, type Replicas, rankShare } from './rank-share.ts'
import type { Sampler } from './sampler.ts'
import { sequentialSampler } from './sequential.ts'
import { shuffledSampler } from './shuffled.ts'

/** Settings of `distributedSampler`. */
export interface DistributedSamplerOptions extends Replicas {
  /** Another order each epoch. @default true */
  shuffle?: boolean
  /** Seed for the order, uint32; the same in every process. @default 0 */
  seed?: number
  /**
   * Leaves out the last examples of the order that cannot be shared evenly; without it the first ones come twice, so
   * that every example is seen. @default false
   */
  dropLast?: boolean
}

/** A sampler of one process, which can also be iterated as in PyTorch. */
export interface DistributedSampler extends Sampler, Iterable<number> {
  /** The epoch that iterating goes through; a loader says its own. */
  setEpoch(epoch: number): void
}

/**
 * One process's share of the examples: as many as every other's, and each in one share only, except for the few that
 * pad the last round (torch.utils.data.DistributedSampler; the order itself is our generator's).
 *
 * @throws naming the option that is out of range
 * @example
 * const sampler = distributedSampler(10, { numReplicas: 4, rank: 1, shuffle: false })
 * sampler.order(0).indices // [1, 5, 9]: with the other ranks' [0, 4, 8], [2, 6, 0] and [3, 7, 1]
 */
export function distributedSampler(length: number, options: DistributedSamplerOptions): DistributedSampler {
  const { numReplicas, rank, shuffle = true, seed = 0, dropLast = false } = options
  checkReplicas('distributedSampler', options)
  const all = shuffle ? shuffledSampler(length, seed) : sequentialSampler(length)
  const share = (dropLast ? Math.floor : Math.ceil)(length / numReplicas)
  const order: Sampler['order'] = epoch => rankShare(all.order(epoch), share * numReplicas, { numReplicas, rank }, 1)
  let epochNow = 0
  return {
    name: `distributed(${all.name}, rank ${rank} of ${numReplicas}${dropLast ? ', last dropped' : ''})`,
    length: share,
    order,
    setEpoch: epoch => {
      epochNow = epoch
    },
    [Symbol.iterator]: () => order(epochNow).indices[Symbol.iterator](),
  }
}
