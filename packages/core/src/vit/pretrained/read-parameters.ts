/** From the files of a model to its variables, tensor by tensor: in JavaScript's memory there is never more than one. */
import { dispose, type Tensor, type Tensor3D, tidy, type Variable } from '@tensorflow/tfjs-core'
import { writeFloat32 } from '../../files/safetensors/dtypes.ts'
import type { SafeTensor } from '../../files/safetensors/safetensors.ts'
import type { WeightFiles } from '../../files/weight-files.ts'
import { requireFiniteWeights } from '../../finite.ts'
import { type Grid, interpolatePositions } from '../../ops/index.ts'
import { elementsOf } from '../../sizes.ts'
import { filled } from '../../tape/own-floats.ts'
import { type FileTensor, parameterShape } from '../families/file-tensors.ts'
import { ownedVariable } from '../parameters/parameters.ts'

/** A tensor of the folder, by its name there. */
export interface Found {
  name: string
  shape: readonly number[]
}

export interface ReadPlan {
  /** What the model takes, by its names in files. */
  tensors: ReadonlyMap<string, FileTensor>
  /** Tensors of the folder by these names. */
  found: ReadonlyMap<string, Found>
  /** Positions that the folder has for another grid of patches, behind those of so many other tokens. */
  positions: { name: string; from: Grid; to: Grid; prefix: number; antialias: boolean }
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
  { tensors, found, positions }: ReadPlan,
  { source, signal }: { source: string; signal?: AbortSignal | undefined },
): Promise<Map<string, Variable>> {
  const made = new Map<string, Variable>()
  const wanted = new Map<string, FileTensor>() // by names in the files
  for (const [name, { name: inFile, shape }] of found) {
    const tensor = tensors.get(name)
    if (tensor && (isSame(shape, tensor.shape) || isOtherGrid(tensor, parameterShape(tensor, shape), positions)))
      wanted.set(inFile, tensor)
  }
  const visit = (inFile: string, { dtype, shape, data }: SafeTensor): void => {
    const tensor = wanted.get(inFile) as FileTensor
    const others = isOtherGrid(tensor, parameterShape(tensor, shape), positions)
    let begin = 0
    for (const { name, shape: needed } of tensor.parts) {
      const own = others ? parameterShape(tensor, shape) : [...needed]
      const end = begin + elementsOf(own)
      const values = finiteTensor(inFile, { dtype, shape: own, data: data.subarray(begin, end) }, source)
      const fitted = others ? fitPositions(values as Tensor3D, positions) : values
      if (isSame(fitted.shape, needed)) made.set(name, ownedVariable(fitted))
      else fitted.dispose()
      begin = end
    }
  }
  try {
    await weights.read(visit, { wanted: inFile => wanted.has(inFile), signal })
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
  { parts }: FileTensor,
  shape: readonly number[],
  { name: positions, from, to, prefix }: ReadPlan['positions'],
): boolean {
  return parts[0]?.name === positions && !isSame(from, to) && shape[1] === prefix + from[0] * from[1]
}

/** The values in the backend's memory, widened to float32. */
function finiteTensor(name: string, tensor: SafeTensor, source: string): Tensor {
  return filled(tensor.shape, values => {
    writeFloat32(tensor, values)
    requireFiniteWeights([[name, values]], source)
  })
}

function fitPositions(positions: Tensor3D, { from, to, ...options }: ReadPlan['positions']): Tensor3D {
  const fitted = tidy(() => interpolatePositions(positions, from, to, options))
  positions.dispose()
  return fitted
}
