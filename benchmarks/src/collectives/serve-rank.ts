/** The ranks' side of the protocol. */
import { createInterface } from 'node:readline'
import { connect, type NativeCollectives, type NativeEngine } from '@vitral/backend-node/collectives'
import type { RankAnswer, RankOptions, RankReady } from './protocol.ts'

const text = { encoder: new TextEncoder(), decoder: new TextDecoder() }

/**
 * Joins the others, prepares, and carries out what the first rank is told to by its input: it tells the others, for mpirun
 * connects no other.
 *
 * @param prepare returns what carries out a request: it begins when all have it, is timed, and may return the
 *   milliseconds that it waited for the others
 */
export async function serveRank<Options extends RankOptions, Request>(
  prepare: (
    collectives: NativeCollectives<NativeEngine>,
    options: Options & { rank: number },
  ) => Promise<(request: Request) => Promise<number | undefined>>,
): Promise<void> {
  const given = JSON.parse(process.argv.at(-1) ?? '{}') as Options
  const { OMPI_COMM_WORLD_RANK, PMI_RANK } = process.env
  const options = { ...given, rank: Number(given.rank ?? OMPI_COMM_WORLD_RANK ?? PMI_RANK) }
  const collectives = await connect(options.engine, { ...options, timeout: 60_000 })
  const isFirst = options.rank === 0
  const answer = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`)

  /** What each says, by rank; nothing of those that say nothing. */
  async function gather(value?: unknown): Promise<unknown[]> {
    const said = value === undefined ? '' : JSON.stringify(value)
    const all = await collectives.allGather(text.encoder.encode(said))
    return all.map(bytes => (bytes.length > 0 ? JSON.parse(text.decoder.decode(bytes)) : undefined))
  }

  async function* requests(): AsyncGenerator<Request> {
    if (isFirst) for await (const line of createInterface({ input: process.stdin })) yield JSON.parse(line) as Request
    else for (;;) yield (await gather())[0] as Request
  }

  const carryOut = await prepare(collectives, options)
  const pids = (await gather(process.pid)) as number[]
  if (isFirst) answer({ ready: pids } satisfies RankReady)
  for await (const request of requests()) {
    if (isFirst) await gather(request)
    await collectives.barrier()
    const start = performance.now()
    const waiting = await carryOut(request)
    const all = (await gather({ milliseconds: performance.now() - start, waiting })) as RankAnswer[]
    if (isFirst) answer(together(all))
  }
  await collectives.close()
}

function together(all: readonly RankAnswer[]): RankAnswer {
  const waiting = all.flatMap(({ waiting }) => waiting ?? [])
  return {
    milliseconds: Math.max(...all.map(({ milliseconds }) => milliseconds)),
    ...(waiting.length > 0 && { waiting: Math.min(...waiting) }),
  }
}
