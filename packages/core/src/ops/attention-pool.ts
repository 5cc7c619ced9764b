/** Attention of one learned query over all tokens of an image: an attention pooling head. */
import {
  add,
  matMul,
  mul,
  reshape,
  slice,
  softmax,
  type Tensor,
  type Tensor2D,
  type Tensor3D,
  transpose,
  zeros,
} from '@tensorflow/tfjs-core'
import { checkInteger } from '../check.ts'
import { defineOp } from '../tape/op.ts'
import { checkShape } from './arguments.ts'

const op = defineOp({
  kernel: 'VitralAttentionPool',
  save: ['query', 'keyValue'],
  gradients: ['query', 'keyValue'],
  reference({ query, keyValue }: { query: Tensor; keyValue: Tensor }, { numHeads }: { numHeads: number }) {
    const [batch, tokens, packedSize] = keyValue.shape as Tensor3D['shape']
    const hiddenSize = packedSize / 2
    const headSize = hiddenSize / numHeads
    const heads = (part: number) => {
      const columns = slice(keyValue, [0, 0, part * hiddenSize], [batch, tokens, hiddenSize])
      return transpose(reshape(columns, [batch, tokens, numHeads, headSize]), [0, 2, 1, 3]) // [B, H, N, D]
    }
    // One copy for each image: tfjs's gradient of a product broadcast over a batch is wrong.
    const queries = add(zeros([batch, numHeads, 1, headSize]), reshape(query, [1, numHeads, 1, headSize]))
    const probabilities = softmax(mul(matMul(queries, heads(0), false, true), headSize ** -0.5)) // [B, H, 1, N]
    return reshape(matMul(probabilities, heads(1)), [batch, hiddenSize])
  },
})

/**
 * softmax(q·Kᵀ / √D)·V of each head for one query (Set Transformer's pooling, Lee et al. 2019; SigLIP's head, where the
 * query is a projected probe). FLOPs 4·B·N·C.
 *
 * @param query [1, C], projected
 * @param keyValue [B, N, 2·C]: keys, then values
 * @returns [B, C]
 */
export function attentionPool(query: Tensor2D, keyValue: Tensor3D, numHeads: number): Tensor2D {
  checkShape('attentionPool', 'keyValue', keyValue, ['batch', 'tokens', '2·hiddenSize'])
  const hiddenSize = keyValue.shape[2] / 2
  checkShape('attentionPool', 'query', query, [1, hiddenSize])
  checkInteger('attentionPool: numHeads', numHeads, 1)
  checkInteger('attentionPool: size of a head', hiddenSize / numHeads, 1)
  return op({ query, keyValue }, { numHeads })
}
