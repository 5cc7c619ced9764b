/** Dropout and drop path of a matrix, in the order in which the addon takes them. */
import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { Drops } from '../addon.ts'
import type { NativeBackend } from '../backend.ts'
import { rowsOf } from '../kernel.ts'

export interface DropAttributes {
  dropoutProbability: number
  dropoutSeed: number
  dropPathProbability: number
  dropPathSeed: number
}

/** For a tensor of this shape, whose samples are along its first axis. */
export const dropsOf = (attrs: DropAttributes, { shape }: Pick<TensorInfo, 'shape'>): Drops => [
  attrs.dropoutProbability,
  attrs.dropoutSeed,
  attrs.dropPathProbability,
  attrs.dropPathSeed,
  shape.length > 1 ? (shape[0] as number) : 1,
]

/** x with what is dropped of it zero and the rest scaled: a new tensor. */
export function dropRows(backend: NativeBackend, x: TensorInfo, attrs: DropAttributes): TensorInfo {
  const { info, values } = backend.allocate(x.shape)
  backend.addon.dropRows(rowsOf(x), x.shape.at(-1) ?? 1, backend.floats(x), ...dropsOf(attrs, x), values)
  return info
}
