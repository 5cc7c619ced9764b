/** Which images a process evaluates: whole batches, in turn, so that each is computed as one process would compute it. */
import type { Replicas, Sampler } from '@vitral/datasets/samplers'

/** Batches rank, rank + numReplicas, … of the examples in their order; a loader of that batch size makes them again. */
export function everyBatchOf(length: number, batchSize: number, { numReplicas, rank }: Replicas): Sampler {
  const indices: number[] = []
  for (let begin = rank * batchSize; begin < length; begin += numReplicas * batchSize)
    for (let index = begin; index < Math.min(begin + batchSize, length); index++) indices.push(index)
  return {
    name: `batches of ${batchSize} (${length}), rank ${rank} of ${numReplicas}`,
    length: indices.length,
    order: () => ({ indices: Int32Array.from(indices) }),
  }
}
