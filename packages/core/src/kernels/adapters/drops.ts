/** Dropout and drop path of a matrix. */
import type { TensorInfo } from '@tensorflow/tfjs-core'
import { rowsOf } from '../arguments.ts'
import type { KernelBackend } from '../backend.ts'
import type { Drops } from '../calls.ts'

export type DropAttributes = Omit<Drops, 'samples'>

/** For a tensor of this shape, whose samples are along its first axis. */
export const dropsOf = (attrs: DropAttributes, { shape }: Pick<TensorInfo, 'shape'>): Drops => ({
  dropoutProbability: attrs.dropoutProbability,
  dropoutSeed: attrs.dropoutSeed,
  dropPathProbability: attrs.dropPathProbability,
  dropPathSeed: attrs.dropPathSeed,
  samples: shape.length > 1 ? (shape[0] as number) : 1,
})

/** x with what is dropped of it zero and the rest scaled: a new tensor. */
export function dropRows(backend: KernelBackend, x: TensorInfo, attrs: DropAttributes): TensorInfo {
  const { info, values } = backend.allocate(x.shape)
  backend.kernels.dropRows({
    rows: rowsOf(x),
    columns: x.shape.at(-1) ?? 1,
    x: backend.floats(x),
    drops: dropsOf(attrs, x),
    output: values,
  })
  return info
}
