/** Learned tokens among those of each image: class, distillation and register tokens. */
import { add, concat, slice, type Tensor, type Tensor3D, zeros } from '@tensorflow/tfjs-core'
import { checkInteger } from '../check.ts'
import { defineOp } from '../tape/op.ts'
import { checkShape } from './arguments.ts'

const op = defineOp({
  kernel: 'VitralInsertTokens',
  save: [],
  gradients: ['x', 'tokens'],
  reference({ x, tokens }: { x: Tensor; tokens: Tensor }, { at }: { at: number; inserted: number }) {
    const [batch, count, hiddenSize] = x.shape as Tensor3D['shape']
    const same = add(zeros([batch, tokens.shape[1] as number, hiddenSize]), tokens) // one copy for each image
    const before = at > 0 ? [slice(x, [0, 0, 0], [batch, at, hiddenSize])] : []
    const after = at < count ? [slice(x, [0, at, 0], [batch, count - at, hiddenSize])] : []
    return concat([...before, same, ...after], 1)
  },
})

/**
 * Puts the same tokens into every image's (DeiT's distillation token; registers, Darcet et al. 2023).
 *
 * @param x [B, N, C]
 * @param tokens [1, T, C]
 * @param at how many of x come before them
 * @returns [B, N + T, C]
 */
export function insertTokens(x: Tensor3D, tokens: Tensor3D, at: number): Tensor3D {
  checkShape('insertTokens', 'x', x, ['batch', 'tokens', 'hiddenSize'])
  checkShape('insertTokens', 'tokens', tokens, [1, 'inserted', x.shape[2]])
  checkInteger('insertTokens: at', at, 0, x.shape[1])
  return op({ x, tokens }, { at, inserted: tokens.shape[1] })
}
