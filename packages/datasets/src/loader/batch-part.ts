/** The examples of a batch that one of several processes makes. */
import type { Replicas } from '../samplers/rank-share.ts'
import type { Order } from '../samplers/sampler.ts'

export interface BatchPart extends Order {
  /** So many of the first examples are only there to be mixed with, and are no part of the batch. */
  lead?: number
  /** The batch's examples before those, in its order: to be mixed with in place of ones that are left out. */
  reserve?: Order
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
  const take = (begin: number, end: number): Order => {
    const places = Array.from({ length: end - begin }, (_, i) => (begin + i + count) % count)
    const from = (values: Int32Array): Int32Array => Int32Array.from(places, place => values[place] as number)
    return { indices: from(whole.indices), repeats: whole.repeats && from(whole.repeats) }
  }
  const part = { ...take(start - lead, end), lead }
  return lead > 0 ? { ...part, reserve: take(end - count, start - lead) } : part
}

/** With so many more of the examples before it to be mixed with, or as many as there are. */
export function withLongerLead<Part extends BatchPart>(part: Part, more: number): Part {
  const { indices, repeats, lead = 0, reserve = { indices: new Int32Array(0) } } = part
  const kept = Math.max(0, reserve.indices.length - more)
  const join = (first: Int32Array, last: Int32Array): Int32Array => Int32Array.from([...first.subarray(kept), ...last])
  return {
    ...part,
    indices: join(reserve.indices, indices),
    repeats: repeats && reserve.repeats && join(reserve.repeats, repeats),
    lead: lead + reserve.indices.length - kept,
    reserve: { indices: reserve.indices.subarray(0, kept), repeats: reserve.repeats?.subarray(0, kept) },
  }
}

const startOf = (count: number, rank: number, { numReplicas }: Replicas): number =>
  rank * Math.floor(count / numReplicas) + Math.min(rank, count % numReplicas)
