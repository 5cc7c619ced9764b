/** The part of an order that one of several processes takes: together they take all of it, each as much as the others. */
import { checkInteger } from '@vitral/core/check'
import type { Order } from './sampler.ts'

/** The number of processes and the rank of this one. */
export interface Replicas {
  /** Processes that share the examples. */
  numReplicas: number
  /** Which of them this is, from 0. */
  rank: number
}

export function checkReplicas(sampler: string, { numReplicas, rank }: Replicas): void {
  checkInteger(`${sampler}: numReplicas`, numReplicas, 1)
  checkInteger(`${sampler}: rank`, rank, 0, numReplicas - 1)
}

/**
 * Places rank, rank + numReplicas, … of an order that is cut off, or goes on from its beginning, at `total` places.
 *
 * @param copies how many there are of each example in the order: the ones that padding adds are further copies
 */
export function rankShare(order: Order, total: number, { numReplicas, rank }: Replicas, copies: number): Order {
  const { length } = order.indices
  const indices = new Int32Array(total / numReplicas)
  const repeats = new Int32Array(indices.length)
  for (let i = 0, place = rank; place < total; i++, place += numReplicas) {
    const from = place % length
    indices[i] = order.indices[from] as number
    repeats[i] = (order.repeats?.[from] ?? 0) + copies * Math.floor(place / length)
  }
  return { indices, repeats }
}
