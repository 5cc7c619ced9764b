/** Masked patches, for pre-training that restores them. */
import { add, mul, reshape, sub, type Tensor, type Tensor2D, type Tensor3D } from '@tensorflow/tfjs-core'
import { defineOp } from '../tape/op.ts'
import { checkShape } from './arguments.ts'

const op = defineOp({
  kernel: 'VitralMaskTokens',
  save: ['mask'],
  gradients: ['patches', 'maskToken'],
  reference({ patches, maskToken, mask }: { patches: Tensor; maskToken: Tensor; mask: Tensor }) {
    const masked = reshape(mask, [...mask.shape, 1])
    return add(mul(patches, sub(1, masked)), mul(maskToken, masked))
  },
})

/**
 * Replaces the masked patches by the mask token, for masked image modelling (SimMIM; HF's `bool_masked_pos`).
 *
 * @param patches [B, N, C]
 * @param maskToken [1, 1, C]
 * @param mask [B, N], float32: 1 where the patch is masked, else 0
 * @returns [B, N, C]
 */
export function maskTokens(patches: Tensor3D, maskToken: Tensor3D, mask: Tensor2D): Tensor3D {
  checkShape('maskTokens', 'patches', patches, ['batch', 'tokens', 'hiddenSize'])
  const [batch, tokens, hiddenSize] = patches.shape
  checkShape('maskTokens', 'maskToken', maskToken, [1, 1, hiddenSize])
  checkShape('maskTokens', 'mask', mask, [batch, tokens])
  return op({ patches, maskToken, mask }, {})
}
