/** A table's numbers laid out over all pairs of tokens: the bias of attention scores by relative position. */
import {
  gather,
  reshape,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  transpose,
} from '@tensorflow/tfjs-core'
import { isInteger } from '../check.ts'
import { defineOp } from '../tape/op.ts'
import { checkShape } from './arguments.ts'

const op = defineOp({
  kernel: 'VitralRelativeBias',
  save: ['index'],
  gradients: ['table'],
  reference({ table, index }: { table: Tensor; index: Tensor }, { tokens }: { tokens: number; rows: number }) {
    const pairs = gather(table as Tensor2D, index as Tensor1D) // [N·N, H]
    return reshape(transpose(pairs), [table.shape[1] as number, tokens, tokens])
  },
})

/**
 * bias[h, i, j] = table[index[i·N + j], h] (T5, Raffel et al. 2019; in two dimensions BEiT, Bao et al. 2021).
 *
 * @param table [M, H]
 * @param index [N·N] int32, each from 0 to M − 1
 * @returns [H, N, N]
 */
export function relativeBias(table: Tensor2D, index: Tensor1D): Tensor3D {
  checkShape('relativeBias', 'table', table, ['positions', 'heads'])
  const tokens = Math.sqrt(index.size)
  if (index.rank !== 1 || index.dtype !== 'int32' || !isInteger(tokens, 1))
    throw new Error(`relativeBias: index is ${index.dtype} [${index.shape}]; expected int32 [N·N].`)
  return op({ table, index }, { tokens, rows: table.shape[0] })
}
