/** Asks a data set for a batch's examples ahead of their turns: decoding runs outside of JavaScript's thread. */
import type { Dataset, Example } from '../types.ts'

/** So many are under way at a time: enough for every decoder, few enough for files and pixels that are open at once. */
const ahead = 16

/** @returns what gives the examples in their order, one at each call; what is wrong with one is thrown at its turn */
export function examplesAhead(dataset: Dataset, indices: Int32Array): () => Example | Promise<Example> {
  const queue: (Example | Promise<Example>)[] = []
  let started = 0
  return () => {
    while (started < indices.length && queue.length < ahead) queue.push(start(dataset, indices[started++] as number))
    return queue.shift() as Example | Promise<Example>
  }
}

function start(dataset: Dataset, index: number): Example | Promise<Example> {
  try {
    const example = dataset.get(index)
    if (example instanceof Promise) example.catch(() => {}) // reported when its turn comes
    return example
  } catch (error) {
    const failed = Promise.reject(error)
    failed.catch(() => {})
    return failed
  }
}
