/** One process of the case: sums arrays with the others, or copies them by itself. */
import type { RankOptions, RankRequest } from './protocol.ts'
import { serveRank } from './serve-rank.ts'

await serveRank<RankOptions, RankRequest>(async (collectives, { rank, worldSize }) => {
  const sum = new Float32Array(1_000_000).fill(rank + 1)
  await collectives.allReduce(sum)
  const expected = (worldSize * (worldSize + 1)) / 2
  if (!sum.every(value => value === expected)) throw new Error(`the sum has ${sum[0]}; expected ${expected}`)

  // Zeros, so that sums of sums stay finite; written, so that the memory is there.
  const arrays = new Map<string, Float32Array>()
  function arrayOf(bytes: number, use: string): Float32Array {
    const key = `${use} ${bytes}`
    const array = arrays.get(key) ?? new Float32Array(bytes / 4).fill(0)
    arrays.set(key, array)
    return array
  }

  const operations: Record<RankRequest['kind'], (bytes: number) => Promise<void> | void> = {
    sum: bytes => collectives.allReduce(arrayOf(bytes, 'sum')),
    copy: bytes => arrayOf(bytes, 'copy').set(arrayOf(bytes, 'sum')),
  }
  return async ({ kind, bytes, operations: count }) => {
    for (let i = 0; i < count; i++) await operations[kind](bytes)
    return undefined
  }
})
