/** Evaluation in several processes: every image once, in the batches of one process. */
import { expect, test } from 'bun:test'
import { everyBatchOf } from './batch-share.ts'

const batchesOf = (indices: Int32Array, batchSize: number): number[][] =>
  Array.from({ length: Math.ceil(indices.length / batchSize) }, (_, i) => [
    ...indices.subarray(i * batchSize, (i + 1) * batchSize),
  ])

test.each([0, 1, 2, 3, 101, 1000])('%d images in turn are the batches of one process, none twice', length => {
  const all = Int32Array.from({ length }, (_, i) => i)
  for (const numReplicas of [1, 2, 3, 4])
    for (const batchSize of [1, 7, 64]) {
      const shares = Array.from({ length: numReplicas }, (_, rank) =>
        everyBatchOf(length, batchSize, { numReplicas, rank }),
      )
      const batches = shares.map(share => batchesOf(share.order(0).indices, batchSize))
      const rounds = Math.max(...batches.map(list => list.length))
      const inTurn = Array.from({ length: rounds }, (_, round) => batches.flatMap(list => list.slice(round, round + 1)))
      expect(inTurn.flat()).toEqual(batchesOf(all, batchSize))
      expect(shares.reduce((sum, share) => sum + share.length, 0)).toBe(length)
    }
})
