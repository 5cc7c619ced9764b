/** From a model's parameters to the tensors that its type has in files. */
import type { Weights } from '../../files/weight-files.ts'
import type { ViTConfig } from '../config.ts'
import { fileTensors } from '../families/file-tensors.ts'
import { families, familyOf } from '../families/index.ts'
import type { ParameterShapes } from '../parameters/parameters.ts'

/**
 * The tensors of the files by their names there.
 *
 * @param valuesOf reads a parameter by its name
 */
export async function toFileTensors(
  shapes: ParameterShapes,
  config: ViTConfig,
  kind: { prefix: string; classifier: boolean },
  valuesOf: (name: string) => Promise<Weights>,
): Promise<Map<string, Weights>> {
  const own = familyOf(config)
  const { names } = kind.classifier && own.classifierType ? families[own.classifierType] : own
  const weights = new Map<string, Weights>()
  for (const { fullName, shape, parts } of fileTensors(shapes, { names, config, ...kind }).values()) {
    const values: Float32Array[] = []
    for (const { name } of parts) values.push((await valuesOf(name)).data)
    weights.set(fullName, { shape, data: concatenated(values) })
  }
  return weights
}

/** The rows of all parts, one after the other. */
function concatenated(parts: readonly Float32Array[]): Float32Array {
  const [first, ...others] = parts
  if (first && others.length === 0) return first
  const data = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    data.set(part, at)
    at += part.length
  }
  return data
}
