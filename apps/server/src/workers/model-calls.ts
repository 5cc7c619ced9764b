/** What the server and a model's process say to each other: the types, and how arrays become one body and back. */
import type { BackendName, ComputeDtype } from '@vitral/core'
import type { ImageGeometry } from '@vitral/core/image'
import type { BestClasses, EngineOutput, ModelDescription, Task } from '../engine.ts'
import { bytesOf, floatsOf } from '../ipc/framing.ts'

export interface ModelSettings {
  folder: string
  backend: 'auto' | BackendName
  precision: ComputeDtype
  /** Of the backend native; its own choice without it. */
  threads?: number
  /** Images computed together at most. */
  maxBatchSize: number
}

/** What a process tells of the model it has loaded. */
export interface LoadedDescription extends Omit<ModelDescription, 'name' | 'state' | 'error'> {
  /** What an image must be brought to before it is sent. */
  geometry: ImageGeometry
  /** Bytes that the process has resident. */
  memory: number
  /** Names of the fields of config.json that nobody knows, where there are some; the first hundred. */
  unknownFields?: readonly string[]
}

/** An image of the model's size: bytes [height, width, channels], or values [channels, height, width]. */
export type PreparedInput = { pixels: Uint8Array; free?(): void } | { pixelValues: Float32Array }

/** What one input is computed for. */
export interface Purpose {
  task: Task
  best?: BestClasses
}

export interface ComputeCall {
  inputs: ({ kind: 'pixels' | 'pixelValues'; bytes: number } & Purpose)[]
}

/** How the floats of a reply's body are divided, input by input; null: its values are no finite numbers. */
type OutputLayout = ({
  logits?: number
  best?: number
  features?: number
  attention?: readonly [height: number, width: number]
} | null)[]

export interface ComputeReply {
  layout: OutputLayout
  /** Bytes that the process has resident. */
  memory: number
  /** Whether the model computes no finite numbers from an input of its own either. */
  modelIsNonFinite: boolean
}

export function inputLayout(jobs: readonly ({ input: PreparedInput } & Purpose)[]): {
  inputs: ComputeCall['inputs']
  bodies: Uint8Array[]
} {
  const bodies = jobs.map(({ input }) => ('pixels' in input ? input.pixels : bytesOf(input.pixelValues)))
  return {
    inputs: jobs.map(({ input, task, best }, i) => ({
      kind: 'pixels' in input ? 'pixels' : 'pixelValues',
      bytes: bodies[i]?.byteLength ?? 0,
      task,
      ...(best && { best }),
    })),
    bodies,
  }
}

export function splitInputs(layout: ComputeCall['inputs'], body: Uint8Array): PreparedInput[] {
  let start = 0
  return layout.map(({ kind, bytes }) => {
    const part = body.subarray(start, start + bytes)
    start += bytes
    return kind === 'pixels' ? { pixels: part } : { pixelValues: floatsOf(part) }
  })
}

/** @param outputs null where the values are no finite numbers */
export function outputLayout(outputs: readonly (EngineOutput | null)[]): {
  layout: OutputLayout
  arrays: Float32Array[]
} {
  return {
    layout: outputs.map(
      output =>
        output && {
          logits: output.logits?.length,
          best: output.best?.indices.length,
          features: output.features?.length,
          attention: output.attention && [output.attention.height, output.attention.width],
        },
    ),
    arrays: outputs.flatMap(output =>
      [
        output?.logits,
        ...[output?.best?.indices, output?.best?.scores],
        ...[output?.features, output?.attention?.values],
      ].filter(array => array !== undefined),
    ),
  }
}

export function splitOutputs(layout: OutputLayout, body: Uint8Array): (EngineOutput | null)[] {
  let start = 0
  const take = (length: number): Float32Array => {
    const bytes = length * Float32Array.BYTES_PER_ELEMENT
    start += bytes
    return floatsOf(body.subarray(start - bytes, start))
  }
  return layout.map(lengths => {
    if (!lengths) return null
    const { logits, best, features, attention } = lengths
    return {
      ...(logits !== undefined && { logits: take(logits) }),
      ...(best !== undefined && { best: { indices: take(best), scores: take(best) } }),
      ...(features !== undefined && { features: take(features) }),
      ...(attention && {
        attention: { height: attention[0], width: attention[1], values: take(attention[0] * attention[1]) },
      }),
    }
  })
}
