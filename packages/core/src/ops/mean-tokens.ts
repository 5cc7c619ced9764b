/** The mean of each image's patches. */
import { mean, slice, type Tensor, type Tensor2D, type Tensor3D } from '@tensorflow/tfjs-core'
import { checkInteger } from '../check.ts'
import { defineOp } from '../tape/op.ts'
import { checkShape } from './arguments.ts'

const op = defineOp({
  kernel: 'VitralMeanTokens',
  save: [], // the gradient is dy divided by the number of tokens
  gradients: ['x'],
  reference({ x }: { x: Tensor }, { from, tokens }: { from: number; tokens: number }) {
    const [batch, , hiddenSize] = x.shape as Tensor3D['shape']
    return mean(slice(x, [0, from, 0], [batch, tokens - from, hiddenSize]), 1)
  },
})

/**
 * x[:, from:].mean(1) in PyTorch's terms: global average pooling of the tokens behind class and registers.
 *
 * @param x [B, N, C]
 * @param from tokens to leave out, fewer than N
 * @returns [B, C]
 */
export function meanTokens(x: Tensor3D, from: number): Tensor2D {
  checkShape('meanTokens', 'x', x, ['batch', 'tokens', 'hiddenSize'])
  const tokens = x.shape[1]
  checkInteger('meanTokens: from', from, 0, tokens - 1)
  return op({ x }, { from, tokens })
}
