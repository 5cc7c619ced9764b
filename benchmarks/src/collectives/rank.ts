/**
 * One process of the case: sums arrays with the others, or copies them by itself, when it is told to. The first one alone is
 * told, by its input, and tells the others: mpirun connects no other.
 */
import { createInterface } from 'node:readline'
import { connect } from '@vitral/backend-node/collectives'
import type { RankAnswer, RankOptions, RankReady, RankRequest } from './protocol.ts'

const given = JSON.parse(process.argv.at(-1) ?? '{}') as RankOptions
const { OMPI_COMM_WORLD_RANK, PMI_RANK } = process.env
const options = { ...given, rank: Number(given.rank ?? OMPI_COMM_WORLD_RANK ?? PMI_RANK) }
const collectives = await connect(options.engine, { ...options, timeout: 60_000 })
const isFirst = options.rank === 0
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

const text = { encoder: new TextEncoder(), decoder: new TextDecoder() }
/** What each says, by rank; nothing of those that say nothing. */
async function gather(value?: unknown): Promise<unknown[]> {
  const said = value === undefined ? '' : JSON.stringify(value)
  const all = await collectives.allGather(text.encoder.encode(said))
  return all.map(bytes => (bytes.length > 0 ? JSON.parse(text.decoder.decode(bytes)) : undefined))
}

async function* requests(): AsyncGenerator<RankRequest> {
  if (isFirst) for await (const line of createInterface({ input: process.stdin })) yield JSON.parse(line) as RankRequest
  else for (;;) yield (await gather())[0] as RankRequest
}

const pids = (await gather(process.pid)) as number[]
if (isFirst) answer({ ready: pids } satisfies RankReady)
for await (const request of requests()) {
  if (isFirst) await gather(request)
  const { kind, bytes, operations: count } = request
  arrayOf(bytes, 'sum')
  if (kind === 'copy') arrayOf(bytes, 'copy')
  await collectives.barrier()
  const start = performance.now()
  for (let i = 0; i < count; i++) await operations[kind](bytes)
  const all = (await gather(performance.now() - start)) as number[]
  if (isFirst) answer({ milliseconds: Math.max(...all) } satisfies RankAnswer)
}
