/** Token embedding: the class token in front, and the position embeddings. */
import { add, concat, type Tensor, type Tensor3D, zeros } from '@tensorflow/tfjs-core'
import { defineOp } from '../tape/op.ts'
import { checkShape } from './arguments.ts'

const op = defineOp({
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
  return op({ patches, clsToken, positionEmbeddings }, {})
}
