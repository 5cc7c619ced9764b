/** Writes the protocol's answers: each output as numbers in JSON, as bytes after it, or as its best classes. */

import type { Config } from '../config.ts'
import type { BestClasses, EngineOutput, ModelDescription } from '../engine.ts'
import { checkAnswer, countOf, predictions } from '../predictions.ts'
import type { InferResponse, RequestedOutput } from './schemas.ts'

type OutputTensor = InferResponse['outputs'][number]

interface Written {
  outputs: OutputTensor[]
  /** Tensors that follow the JSON, in the order of the outputs. */
  binary: Uint8Array[]
}

const classesOf = ({ name, parameters }: RequestedOutput): number | undefined =>
  name === 'logits' ? parameters.classification : undefined

/** @returns the selection of best classes, if one is requested in place of the logits */
export function bestOf(requested: readonly RequestedOutput[]): BestClasses | undefined {
  const [count] = requested.flatMap(output => classesOf(output) ?? [])
  return count === undefined ? undefined : { count, scoring: 'none' }
}

/** @throws RequestError if the outputs are too large to be written as JSON */
export function checkOutputs(
  requested: readonly RequestedOutput[],
  binaryByDefault: boolean,
  images: number,
  model: ModelDescription,
  limits: Config['limits'],
): void {
  for (const output of requested) {
    const count = classesOf(output)
    const { binary_data = binaryByDefault } = output.parameters
    if (count !== undefined) checkAnswer(images, countOf(count, model), limits)
    else if (!binary_data)
      checkAnswer(images, output.name === 'logits' ? model.labels.length : model.featureSize, limits)
  }
}

/** @param results each image's outputs */
export function writeOutputs(
  requested: readonly RequestedOutput[],
  binaryByDefault: boolean,
  results: readonly EngineOutput[],
  model: ModelDescription,
): Written {
  const written: Written = { outputs: [], binary: [] }
  for (const { name, parameters } of requested) {
    const rows = results.map(output => output[name] as Float32Array)
    const { binary_data = binaryByDefault } = parameters
    const tensor =
      classesOf({ name, parameters }) !== undefined
        ? classes(results, model)
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

/** Writes classes as "value:index:label", best first; the value is the logit, by the extension. */
function classes(
  results: readonly EngineOutput[],
  model: ModelDescription,
): { datatype: string; values: string[]; width: number } {
  const best = results.map(output => predictions(output, model))
  const values = best.flat().map(({ score, index, label }) => `${score}:${index}:${label}`)
  return { datatype: 'BYTES', values, width: best[0]?.length ?? 0 }
}

const floatBytes = (rows: Float32Array[]): Uint8Array =>
  Buffer.concat(rows.map(row => new Uint8Array(row.buffer, row.byteOffset, row.byteLength)))

/** Writes each string as its length in bytes (uint32, little-endian) and its UTF-8. */
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
