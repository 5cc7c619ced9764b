/** From the files of a model to its variables, tensor by tensor: in JavaScript's memory there is never more than one. */
import { dispose, type Tensor, type Tensor3D, tidy, type Variable } from '@tensorflow/tfjs-core'
import { writeFloat32 } from '../../files/safetensors/dtypes.ts'
import type { SafeTensor } from '../../files/safetensors/safetensors.ts'
import type { WeightFiles } from '../../files/weight-files.ts'
import { requireFiniteWeights } from '../../finite.ts'
import { type Grid, interpolatePositions } from '../../ops/index.ts'
import { filled } from '../../tape/own-floats.ts'
import { ownedVariable, type ParameterShapes } from '../parameters/parameters.ts'

/** A tensor of the folder, by its name there. */
export interface Found {
  name: string
  shape: readonly number[]
}

export interface ReadPlan {
  /** Shapes that the model needs, by our names. */
  shapes: ParameterShapes
  /** Tensors of the folder by our names. */
  found: ReadonlyMap<string, Found>
  /** Positions that the folder has for another grid of patches. */
  positions: { name: string; from: Grid; to: Grid }
}

/**
 * Reads what has the model's shape, and the positions, which are interpolated where they are those of another grid.
 *
 * @param source what errors call the folder
 * @returns variables by our names, without those to be newly initialized
 * @throws naming the first tensor with a value that is NaN or infinite; when a file is damaged; the signal's reason. What
 *   was made before is freed
 */
export async function readParameters(
  weights: WeightFiles,
  { shapes, found, positions }: ReadPlan,
  { source, signal }: { source: string; signal?: AbortSignal | undefined },
): Promise<Map<string, Variable>> {
  const made = new Map<string, Variable>()
  const names = new Map<string, string>() // ours, by those in the files
  for (const [name, { name: inFile, shape }] of found) {
    const needed = shapes.get(name)
    if (needed && (isSame(shape, needed) || isOtherGrid(name, shape, positions))) names.set(inFile, name)
  }
  const visit = (inFile: string, tensor: SafeTensor): void => {
    const name = names.get(inFile) as string
    const values = finiteTensor(name, tensor, source)
    const fitted = isOtherGrid(name, tensor.shape, positions) ? fitPositions(values as Tensor3D, positions) : values
    if (isSame(fitted.shape, shapes.get(name) as number[])) made.set(name, ownedVariable(fitted))
    else fitted.dispose()
  }
  try {
    await weights.read(visit, { wanted: inFile => names.has(inFile), signal })
    signal?.throwIfAborted()
  } catch (error) {
    dispose([...made.values()])
    throw error
  }
  return made
}

export const isSame = (a: readonly number[], b: readonly number[]): boolean => a.join() === b.join()

/** Whether these are positions of the grid that is not the model's. */
export function isOtherGrid(
  name: string,
  shape: readonly number[],
  { name: positions, from, to }: ReadPlan['positions'],
): boolean {
  return name === positions && !isSame(from, to) && shape[1] === 1 + from[0] * from[1]
}

/** The values in the backend's memory, widened to float32. */
function finiteTensor(name: string, tensor: SafeTensor, source: string): Tensor {
  return filled(tensor.shape, values => {
    writeFloat32(tensor, values)
    requireFiniteWeights([[name, values]], source)
  })
}

function fitPositions(positions: Tensor3D, { from, to }: ReadPlan['positions']): Tensor3D {
  const fitted = tidy(() => interpolatePositions(positions, from, to))
  positions.dispose()
  return fitted
}
