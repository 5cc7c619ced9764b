/** Gives every process what the first one has: the state of a run, new or read from its checkpoint. */
import type { Variable } from '@tensorflow/tfjs-core'
import { elementsOf } from '@vitral/core/sizes'
import type { Collectives } from '../ddp/collectives.ts'
import {
  parameterSection,
  type RunPosition,
  type RunState,
  type Section,
  type SectionState,
  sectionsOf,
  startOfRun,
} from './state.ts'

/** Sizes of what follows: no process but the first knows what a resumed optimizer has. */
interface Header {
  position: RunPosition
  sections: Record<string, { values?: unknown; tensors: [name: string, shape: number[]][] }>
}

/** So much at a time: an engine may hold a copy of what it carries. */
const chunkBytes = 25 * 2 ** 20

/**
 * Makes the state of every process that of the first.
 *
 * @returns the first process's position
 * @throws in every process, naming the first parameter that some process lacks, or has in another shape
 */
export async function broadcastState(
  collectives: Collectives,
  position: RunPosition,
  state: RunState,
): Promise<RunPosition> {
  await checkParameters(collectives, state.parameters)
  return broadcastSections(collectives, position, sectionsOf(state))
}

/** Makes the parameters of every process those of the first; throws as `broadcastState`. */
export async function broadcastParameters(
  collectives: Collectives,
  parameters: ReadonlyMap<string, Variable>,
): Promise<void> {
  await checkParameters(collectives, parameters)
  await broadcastSections(collectives, startOfRun, { model: parameterSection(parameters) })
}

async function broadcastSections(
  collectives: Collectives,
  position: RunPosition,
  parts: Record<string, Section>,
): Promise<RunPosition> {
  const isFirst = collectives.rank === 0
  const sections = isFirst ? await statesOf(parts) : {}
  const header = await broadcastJson(collectives, isFirst ? headerOf(position, sections) : undefined)
  for (const [key, section] of Object.entries(parts)) {
    const { values, tensors = [] } = header.sections[key] ?? {}
    const received: Required<SectionState> = { values, tensors: new Map() }
    for (const [name, shape] of tensors) {
      const size = elementsOf(shape)
      const data = sections[key]?.tensors?.get(name)?.data ?? new Float32Array(size)
      await broadcastAll(collectives, new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
      received.tensors.set(name, { shape, data })
    }
    if (!isFirst) section.load(received)
  }
  return header.position
}

async function statesOf(parts: Record<string, Section>): Promise<Record<string, SectionState>> {
  const states: Record<string, SectionState> = {}
  for (const [key, section] of Object.entries(parts)) states[key] = await section.state()
  return states
}

const headerOf = (position: RunPosition, sections: Record<string, SectionState>): Header => ({
  position,
  sections: Object.fromEntries(
    Object.entries(sections).map(([key, { values, tensors = new Map() }]) => [
      key,
      { values, tensors: [...tensors].map(([name, { shape }]): [string, number[]] => [name, shape]) },
    ]),
  ),
})

/** @throws when two processes would train other parameters: their gradients could not be summed */
async function checkParameters(collectives: Collectives, parameters: ReadonlyMap<string, Variable>): Promise<void> {
  const own = [...parameters].map(([name, { shape, trainable }]) => [
    name,
    `shape [${shape}]${trainable ? '' : ', frozen'}`,
  ])
  const all = await collectives.allGather(new TextEncoder().encode(JSON.stringify(own)))
  const [first, ...others] = all.map(
    bytes => new Map(JSON.parse(new TextDecoder().decode(bytes)) as [string, string][]),
  )
  for (const [i, other] of others.entries())
    for (const name of new Set([...(first?.keys() ?? []), ...other.keys()])) {
      const [expected = 'no such parameter', given = 'no such parameter'] = [first?.get(name), other.get(name)]
      if (expected !== given)
        throw new Error(
          `The model of rank ${i + 1} is not that of rank 0: ${name} is there ${given}, of rank 0 ${expected}. Start every process with the same recipe, data and version.`,
        )
    }
}

async function broadcastJson<T>(collectives: Collectives, value: T | undefined): Promise<T> {
  const bytes = value === undefined ? new Uint8Array() : new TextEncoder().encode(JSON.stringify(value))
  const length = Float64Array.of(bytes.length)
  await broadcastAll(collectives, new Uint8Array(length.buffer))
  const whole = value === undefined ? new Uint8Array(length[0] as number) : bytes
  await broadcastAll(collectives, whole)
  return JSON.parse(new TextDecoder().decode(whole)) as T
}

async function broadcastAll(collectives: Collectives, bytes: Uint8Array): Promise<void> {
  for (let begin = 0; begin < bytes.length; begin += chunkBytes)
    await collectives.broadcast(bytes.subarray(begin, begin + chunkBytes), 0)
}
