/** Token embedding: masked patches, the class token in front, and the position embeddings. */
import { add, concat, mul, reshape, sub, type Tensor, type Tensor2D, type Tensor3D, zeros } from '@tensorflow/tfjs-core'
import { defineOp } from '../tape/op.ts'
import { checkShape } from './arguments.ts'

const embed = defineOp({
  kernel: 'VitralEmbedTokens',
  save: [],
  gradients: ['patches', 'clsToken', 'positionEmbeddings'],
  reference(inputs: { patches: Tensor; clsToken: Tensor; positionEmbeddings: Tensor }) {
    const { patches, clsToken, positionEmbeddings } = inputs
    const [batch, , hiddenSize] = patches.shape as Tensor3D['shape']
    const clsTokens = add(zeros([batch, 1, hiddenSize]), clsToken) as Tensor3D
    return add(concat([clsTokens, patches as Tensor3D], 1), positionEmbeddings)
  },
})

/**
 * Puts the class token before the patches and adds the position embeddings (BERT's [CLS]; ViT, equation 1).
 *
 * @param patches [B, N, C]
 * @param clsToken [1, 1, C]
 * @param positionEmbeddings [1, 1 + N, C]; index 0 is the class token's
 * @returns [B, 1 + N, C]
 */
export function embedTokens(patches: Tensor3D, clsToken: Tensor3D, positionEmbeddings: Tensor3D): Tensor3D {
  checkShape('embedTokens', 'patches', patches, ['batch', 'tokens', 'hiddenSize'])
  const [, tokens, hiddenSize] = patches.shape
  checkShape('embedTokens', 'clsToken', clsToken, [1, 1, hiddenSize])
  checkShape('embedTokens', 'positionEmbeddings', positionEmbeddings, [1, 1 + tokens, hiddenSize])
  return embed({ patches, clsToken, positionEmbeddings }, {})
}

const maskPatches = defineOp({
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
  return maskPatches({ patches, maskToken, mask }, {})
}
