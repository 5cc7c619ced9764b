/** The examples of a batch that one of several processes makes. */
import type { Replicas } from '../samplers/rank-share.ts'
import type { Order } from '../samplers/sampler.ts'

export interface BatchPart extends Order {
  /** So many of the first examples are only there to be mixed with, and are no part of the batch. */
  lead?: number
}

export interface BatchPartOptions {
  /** @default all */
  share?: Replicas
  /** Batch transforms; each mixes an image with the one before it, and the first with the last. */
  before: number
}

/**
 * The places that a process has in a batch: one after the other, and the first processes have one more where they cannot
 * be shared evenly.
 */
export function partOfBatch(order: Order, begin: number, size: number, { share, before }: BatchPartOptions): BatchPart {
  const whole = {
    indices: order.indices.slice(begin, begin + size),
    repeats: order.repeats?.slice(begin, begin + size),
  }
  if (!share) return whole
  const count = whole.indices.length
  const [start, end] = [startOf(count, share.rank, share), startOf(count, share.rank + 1, share)]
  const lead = start === end ? 0 : Math.min(before, count - (end - start))
  const places = Array.from({ length: lead + end - start }, (_, i) => (start - lead + i + count) % count)
  const take = (from: Int32Array): Int32Array => Int32Array.from(places, place => from[place] as number)
  return { indices: take(whole.indices), repeats: whole.repeats && take(whole.repeats), lead }
}

const startOf = (count: number, rank: number, { numReplicas }: Replicas): number =>
  rank * Math.floor(count / numReplicas) + Math.min(rank, count % numReplicas)
