/**
 * Processes that train together, for tests: each is `rank.ts`, and this one carries what they say to each other, in the
 * order of their ranks. They stay for as many scenarios as are asked for.
 */
import { join } from 'node:path'
import type { Scenarios } from './rank.ts'

interface Request {
  call: string
  number: number
  op: 'allReduce' | 'broadcast' | 'allGather' | 'barrier'
  root: number
  bytes: Uint8Array
}

export interface Ranks {
  /** Runs a scenario in the first `worldSize` processes; settles when all have ended. */
  run<Name extends keyof Scenarios>(
    worldSize: number,
    name: Name,
    options: (rank: number) => Parameters<Scenarios[Name]>[1],
  ): Promise<PromiseSettledResult<Awaited<ReturnType<Scenarios[Name]>>>[]>
  end(): void
}

export function startRanks(count: number): Ranks {
  let calls = 0
  const waiting = new Map<string, { request: Request; rank: number }[]>()
  const results = new Map<string, ReturnType<typeof Promise.withResolvers<never>>>()
  const sizes = new Map<string, number>()
  const processes = Array.from({ length: count }, (_, rank) =>
    Bun.spawn([process.execPath, join(import.meta.dirname, 'rank.ts')], {
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit'],
      ipc: message => receive(rank, message),
    }),
  )

  function receive(rank: number, message: { request?: Request; call: string; value?: never; error?: string }): void {
    const { request, call, value, error } = message
    const result = results.get(`${call} ${rank}`)
    if (request) collect(rank, request)
    else if (error === undefined) result?.resolve(value as never)
    else result?.reject(new Error(error))
  }

  function collect(rank: number, request: Request): void {
    const key = `${request.call} ${request.number}`
    const all = [...(waiting.get(key) ?? []), { request, rank }].sort((a, b) => a.rank - b.rank)
    waiting.set(key, all)
    if (all.length < (sizes.get(request.call) ?? 0)) return
    waiting.delete(key)
    const differing = all.find(
      ({ request: { op, bytes } }) =>
        op !== request.op || (op !== 'allGather' && bytes.length !== (all[0]?.request.bytes.length ?? 0)),
    )
    const parts = all.map(({ request: { bytes } }) => bytes)
    const error = differing && `rank ${differing.rank} came to ${differing.request.op} with another operation or size`
    const answer = error ? undefined : { sum: sumOf(request, parts), parts: request.op === 'allReduce' ? [] : parts }
    for (const { rank: to } of all)
      processes[to]?.send({ ...answer, error, call: request.call, number: request.number })
  }

  return {
    async run(worldSize, scenario, options) {
      const call = `${calls++}`
      sizes.set(call, worldSize)
      const all = processes.slice(0, worldSize).map((child, rank) => {
        const result = Promise.withResolvers<never>()
        results.set(`${call} ${rank}`, result)
        child.send({ call, scenario, rank, worldSize, options: options(rank) })
        return result.promise
      })
      return Promise.allSettled(all)
    },
    end() {
      for (const child of processes) child.kill()
    },
  }
}

function sumOf({ op }: Request, parts: readonly Uint8Array[]): Uint8Array | undefined {
  if (op !== 'allReduce') return undefined
  const [first, ...others] = parts.map(bytes => new Float32Array(bytes.slice().buffer)) as [Float32Array]
  for (const other of others as Float32Array[])
    for (let i = 0; i < first.length; i++) first[i] = (first[i] as number) + (other[i] as number)
  return new Uint8Array(first.buffer)
}
