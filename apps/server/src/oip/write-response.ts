/** Answers of the protocol: each output as numbers in JSON, as bytes behind it, or as its best classes. */
import type { EngineOutput, ModelDescription } from '../engine/engine.ts'
import { predictions } from '../predictions.ts'
import type { InferResponse, RequestedOutput } from './schemas.ts'

type OutputTensor = InferResponse['outputs'][number]

interface Written {
  outputs: OutputTensor[]
  /** What follows the JSON, in the outputs' order. */
  binary: Uint8Array[]
}

/** @param results of each image, with all that was asked for */
export function writeOutputs(
  requested: readonly RequestedOutput[],
  binaryByDefault: boolean,
  results: readonly EngineOutput[],
  model: ModelDescription,
): Written {
  const written: Written = { outputs: [], binary: [] }
  for (const { name, parameters } of requested) {
    const rows = results.map(output => output[name] as Float32Array)
    const { classification, binary_data = binaryByDefault } = parameters
    const tensor =
      name === 'logits' && classification !== undefined
        ? classes(rows, model, classification)
        : { datatype: 'FP32', values: rows.flatMap(row => Array.from(row)), width: rows[0]?.length ?? 0 }
    const { datatype, values, width } = tensor
    const common = { name, datatype, shape: [rows.length, width] }
    if (!binary_data) {
      written.outputs.push({ ...common, data: values })
      continue
    }
    const bytes = datatype === 'FP32' ? floatBytes(rows) : stringBytes(values as string[])
    written.outputs.push({ ...common, parameters: { binary_data_size: bytes.length } })
    written.binary.push(bytes)
  }
  return written
}

/** "value:index:label", best first; the value is the logit, as the extension has it. */
function classes(
  rows: Float32Array[],
  model: ModelDescription,
  count: number,
): { datatype: string; values: string[]; width: number } {
  const best = rows.map(row => predictions(row, model, count, 'none'))
  const values = best.flat().map(({ score, index, label }) => `${score}:${index}:${label}`)
  return { datatype: 'BYTES', values, width: best[0]?.length ?? 0 }
}

const floatBytes = (rows: Float32Array[]): Uint8Array =>
  Buffer.concat(rows.map(row => new Uint8Array(row.buffer, row.byteOffset, row.byteLength)))

/** Of each its length in bytes (uint32, little-endian), then its UTF-8. */
function stringBytes(values: string[]): Uint8Array {
  return Buffer.concat(
    values.flatMap(value => {
      const text = Buffer.from(value)
      const length = Buffer.alloc(4)
      length.writeUInt32LE(text.length)
      return [length, text]
    }),
  )
}
