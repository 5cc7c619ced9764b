/** Arrays of a model's calls packed into one body and back. */
import type { EngineOutput } from '../engine.ts'
import { bytesOf, floatsOf } from '../ipc/framing.ts'
import type { InputLayout, OutputLayout, Purpose } from './protocol.ts'

/** An image of the model's size: bytes [height, width, channels], or values [channels, height, width]. */
export type PreparedInput = { pixels: Uint8Array; free?(): void } | { pixelValues: Float32Array }

/** Packs inputs into a body. */
export function inputLayout(jobs: readonly ({ input: PreparedInput } & Purpose)[]): {
  inputs: InputLayout
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

/** Unpacks a body into inputs: the inverse of inputLayout. */
export function splitInputs(layout: InputLayout, body: Uint8Array): PreparedInput[] {
  let start = 0
  return layout.map(({ kind, bytes }) => {
    const part = body.subarray(start, start + bytes)
    start += bytes
    return kind === 'pixels' ? { pixels: part } : { pixelValues: floatsOf(part) }
  })
}

/**
 * Packs outputs into a body.
 *
 * @param outputs null where the values are non-finite
 */
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

/** Unpacks a body into outputs: the inverse of outputLayout. */
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
