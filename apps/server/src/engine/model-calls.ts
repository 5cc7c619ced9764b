/** What the server and a model's process say to each other: the types, and how arrays become one body and back. */
import type { BackendName, ComputeDtype, Interpolation } from '@vitral/core'
import type { EngineOutput, ModelDescription } from './engine.ts'
import { bytesOf, floatsOf } from './framing.ts'

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
  /** What an image must be brought to before it is sent; undefined when it must have the model's size already. */
  resize?: { size: readonly [height: number, width: number]; interpolation: Interpolation }
  /** Bytes that the process has resident. */
  memory: number
}

/** An image of the model's size: RGB bytes [height, width, 3], or values [channels, height, width]. */
export type PreparedInput = { rgb: Uint8Array; free?(): void } | { pixelValues: Float32Array }

/** What is wanted beside the logits. */
export interface Wanted {
  features: boolean
  attention: boolean
}

export interface ComputeCall {
  inputs: { kind: 'rgb' | 'pixelValues'; bytes: number }[]
  wanted: Wanted
}

/** How the floats of a reply's body are divided, input by input. */
export type OutputLayout = {
  logits?: number
  features?: number
  attention?: readonly [height: number, width: number]
}[]

export function inputLayout(inputs: readonly PreparedInput[]): { inputs: ComputeCall['inputs']; bodies: Uint8Array[] } {
  const bodies = inputs.map(input => ('rgb' in input ? input.rgb : bytesOf(input.pixelValues)))
  return {
    inputs: inputs.map((input, i) => ({
      kind: 'rgb' in input ? 'rgb' : 'pixelValues',
      bytes: bodies[i]?.byteLength ?? 0,
    })),
    bodies,
  }
}

export function splitInputs(layout: ComputeCall['inputs'], body: Uint8Array): PreparedInput[] {
  let start = 0
  return layout.map(({ kind, bytes }) => {
    const part = body.subarray(start, start + bytes)
    start += bytes
    return kind === 'rgb' ? { rgb: part } : { pixelValues: floatsOf(part) }
  })
}

export function outputLayout(outputs: readonly EngineOutput[]): { layout: OutputLayout; arrays: Float32Array[] } {
  return {
    layout: outputs.map(({ logits, features, attention }) => ({
      logits: logits?.length,
      features: features?.length,
      attention: attention && [attention.height, attention.width],
    })),
    arrays: outputs.flatMap(({ logits, features, attention }) =>
      [logits, features, attention?.values].filter(array => array !== undefined),
    ),
  }
}

export function splitOutputs(layout: OutputLayout, body: Uint8Array): EngineOutput[] {
  let start = 0
  const take = (length: number): Float32Array => {
    const bytes = length * Float32Array.BYTES_PER_ELEMENT
    start += bytes
    return floatsOf(body.subarray(start - bytes, start))
  }
  return layout.map(({ logits, features, attention }) => ({
    ...(logits !== undefined && { logits: take(logits) }),
    ...(features !== undefined && { features: take(features) }),
    ...(attention && {
      attention: { height: attention[0], width: attention[1], values: take(attention[0] * attention[1]) },
    }),
  }))
}
