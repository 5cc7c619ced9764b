/** One process of the case: sums arrays with the others, or copies them by itself, when it is told to. */
import { createInterface } from 'node:readline'
import { connect } from '@vitral/backend-node/collectives'
import type { RankAnswer, RankOptions, RankRequest } from './protocol.ts'

const options = JSON.parse(process.argv[2] ?? '{}') as RankOptions
const collectives = await connect(options.engine, { ...options, timeout: 60_000 })
const answer = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`)

const sum = new Float32Array(1_000_000).fill(options.rank + 1)
await collectives.allReduce(sum)
const expected = (options.worldSize * (options.worldSize + 1)) / 2
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

answer({ ready: options.engine })
for await (const line of createInterface({ input: process.stdin })) {
  const { kind, bytes, operations: count } = JSON.parse(line) as RankRequest
  arrayOf(bytes, 'sum')
  if (kind === 'copy') arrayOf(bytes, 'copy')
  await collectives.barrier()
  const start = performance.now()
  for (let i = 0; i < count; i++) await operations[kind](bytes)
  answer({ milliseconds: performance.now() - start } satisfies RankAnswer)
}
await collectives.close()
