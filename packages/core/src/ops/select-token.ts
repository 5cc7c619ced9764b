/** One token of each image, such as the class token. */
import { reshape, slice, type Tensor, type Tensor2D, type Tensor3D } from '@tensorflow/tfjs-core'
import { checkInteger } from '../check.ts'
import { defineOp } from '../tape/op.ts'
import { checkShape } from './arguments.ts'

const op = defineOp({
  kernel: 'VitralSelectToken',
  save: [], // the gradient is zero but for one token; it needs no more than the number of tokens
  gradients: ['x'],
  reference({ x }: { x: Tensor }, { index }: { index: number; tokens: number }) {
    const [batch, , hiddenSize] = x.shape as Tensor3D['shape']
    return reshape(slice(x, [0, index, 0], [batch, 1, hiddenSize]), [batch, hiddenSize])
  },
})

/**
 * x[:, index] in PyTorch's terms.
 *
 * @param x [B, N, C]
 * @param index from 0 to N − 1; 0 is the class token
 * @returns [B, C]
 */
export function selectToken(x: Tensor3D, index: number): Tensor2D {
  checkShape('selectToken', 'x', x, ['batch', 'tokens', 'hiddenSize'])
  const tokens = x.shape[1]
  checkInteger('selectToken: index', index, 0, tokens - 1)
  return op({ x }, { index, tokens })
}
