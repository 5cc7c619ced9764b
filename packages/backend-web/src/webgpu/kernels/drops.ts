/** Dropout and drop path of a linear layer's result. */
import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { Drops } from '@vitral/core/kernels'
import { sizeOf } from '@vitral/core/kernels/arguments'
import { elementsOf } from '@vitral/core/sizes'
import type { WebgpuBackend } from '../backend.ts'
import type { Range } from '../memory.ts'
import { program } from '../program.ts'
import { keepConstants, keepFunctions } from '../wgsl.ts'

export type DropAttributes = Omit<Drops, 'samples'>

/** Nothing is dropped. */
export const noDrops: DropAttributes = {
  dropoutProbability: 0,
  dropoutSeed: 0,
  dropPathProbability: 0,
  dropPathSeed: 0,
}

export const hasDrops = ({ dropoutProbability, dropPathProbability }: DropAttributes): boolean =>
  dropoutProbability > 0 || dropPathProbability > 0

/** The constants that `keep` reads. */
export const dropConstantTypes = {
  dropoutSeed: 'u32',
  dropoutThreshold: 'u32',
  dropoutKept: 'f32',
  dropPathSeed: 'u32',
  dropPathThreshold: 'u32',
  dropPathKept: 'f32',
  sampleRows: 'u32',
} as const

/** Their values for the rows of a tensor, whose samples are along its first axis. */
export function dropConstants(
  { dropoutProbability, dropoutSeed, dropPathProbability, dropPathSeed }: DropAttributes,
  { shape }: Pick<TensorInfo, 'shape'>,
): Record<keyof typeof dropConstantTypes, number> {
  const [dropout, dropPath] = [keepConstants(dropoutProbability), keepConstants(dropPathProbability)]
  return {
    dropoutSeed,
    dropoutThreshold: dropout.threshold,
    dropoutKept: dropout.kept,
    dropPathSeed,
    dropPathThreshold: dropPath.threshold,
    dropPathKept: dropPath.kept,
    sampleRows: Math.max(1, elementsOf(shape.slice(1, -1))),
  }
}

/** `keep(row, index)`: what the element of that index, which is in that row, is multiplied by. */
export const keepFunction: string = `${keepFunctions}
fn keep(row: u32, index: u32) -> f32 {
  let sample = row / constants.sampleRows;
  return keepMultiplier(constants.dropoutSeed, index, constants.dropoutThreshold, constants.dropoutKept)
    * keepMultiplier(constants.dropPathSeed, sample, constants.dropPathThreshold, constants.dropPathKept);
}`

const LANES = 64

const drop = program({
  name: 'dropRows',
  bindings: { x: 'f32', output: 'f32' },
  constants: { size: 'u32', columns: 'u32', ...dropConstantTypes },
  lanes: LANES,
  declarations: keepFunction,
  body: `
  let i = group * LANES + lane;
  if (i < constants.size) { output[i] = x[i] * keep(i / constants.columns, i); }`,
})

/** x with what is dropped of it zero and the rest scaled, for the time of the kernel that runs. */
export function dropRows(backend: WebgpuBackend, x: TensorInfo, attrs: DropAttributes): Range {
  const size = sizeOf(x)
  const output = backend.scratch(4 * size)
  const constants = { size, columns: x.shape.at(-1) as number, ...dropConstants(attrs, x) }
  backend.dispatch(drop, { x: backend.range(x), output }, constants, Math.ceil(size / LANES))
  return output
}
