/** One process of several that train together, for tests: runs the scenarios that ranks.ts sends it. */
import type { Collectives } from '../src/ddp/collectives.ts'
import { scenarios } from './ddp-scenarios.ts'

export type Scenarios = typeof scenarios

interface Answer {
  call: string
  number: number
  error?: string
  sum?: Uint8Array
  parts?: Uint8Array[]
}

interface Start {
  call: string
  scenario: keyof Scenarios
  rank: number
  worldSize: number
  options: never
}

const send = (message: unknown): void => void process.send?.(message)
const pending = new Map<number, ReturnType<typeof Promise.withResolvers<Answer>>>()

process.on('message', async (message: Answer | Start) => {
  if (!('scenario' in message)) {
    const waiting = pending.get(message.number)
    pending.delete(message.number)
    if (message.error) waiting?.reject(new Error(message.error))
    else waiting?.resolve(message)
    return
  }
  const { call, scenario, options } = message
  try {
    send({ call, value: await scenarios[scenario](connect(message), options) })
  } catch (error) {
    send({ call, error: (error as Error).message })
  }
})

function connect({ call, rank, worldSize }: Start): Collectives {
  let number = 0
  pending.clear()
  const ask = (op: string, bytes: Uint8Array = new Uint8Array(), root = 0): Promise<Answer> => {
    const waiting = Promise.withResolvers<Answer>()
    pending.set(number, waiting)
    send({ request: { call, number: number++, op, root, bytes: bytes.slice() } })
    return waiting.promise
  }
  return {
    engine: 'local',
    rank,
    worldSize,
    async allReduce(values) {
      const { sum } = await ask('allReduce', new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
      values.set(new Float32Array((sum as Uint8Array).slice().buffer))
    },
    async broadcast(bytes, root) {
      const { parts = [] } = await ask('broadcast', bytes, root)
      bytes.set(parts[root] as Uint8Array)
    },
    allGather: async bytes => ((await ask('allGather', bytes)).parts ?? []).map(part => new Uint8Array(part)),
    barrier: async () => void (await ask('barrier')),
    close: async () => {},
  }
}
