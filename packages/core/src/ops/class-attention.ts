/** Multi-head self-attention of the class token alone, without the keys and values of the others. */
import {
  add,
  matMul,
  mul,
  reshape,
  slice,
  softmax,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  transpose,
} from '@tensorflow/tfjs-core'
import { checkInteger, isInteger } from '../check.ts'
import { defineOp } from '../tape/op.ts'
import type { AttentionOptions } from './attention.ts'
import { linearReference } from './linear.ts'
import { checkQkv, type QkvInputs, qkvInputs, type Triple } from './qkv.ts'

type ClassAttentionAttrs = { numHeads: number; scale: number }

const op = defineOp<QkvInputs, ClassAttentionAttrs>({
  kernel: 'VitralClassAttention',
  save: ['x', 'queryWeight', 'keyWeight', 'valueWeight'],
  sideOutputs: ['saved'], // activations that the kernel's gradient would compute again, in its own layout
  gradients: ['x', 'queryWeight', 'keyWeight', 'valueWeight', 'queryBias', 'keyBias', 'valueBias'],
  reference({ x, queryWeight, keyWeight, valueWeight, queryBias, keyBias, valueBias }, { numHeads, scale }) {
    const [batch, , hiddenSize] = x.shape as Tensor3D['shape']
    const headSize = hiddenSize / numHeads
    const ofHeads = (weight: Tensor) => reshape(weight, [numHeads, headSize, -1])
    /** [H, B, D] ↔ [B, H, D] */
    const turned = (y: Tensor) => transpose(y, [1, 0, 2])
    const classToken = reshape(slice(x, [0, 0, 0], [batch, 1, hiddenSize]), [batch, hiddenSize])
    const query = turned(reshape(linearReference(classToken, queryWeight, queryBias), [batch, numHeads, headSize]))
    const ofTokens = turned(matMul(query, ofHeads(keyWeight))) // [B, H, C]
    const products = matMul(ofTokens, x, false, true) // [B, H, N]
    const scores = keyBias ? add(products, turned(matMul(query, ofHeads(keyBias)))) : products
    const sums = matMul(softmax(mul(scores, scale)), x) // [B, H, C]
    const attended = reshape(turned(matMul(turned(sums), ofHeads(valueWeight), false, true)), [batch, hiddenSize])
    return reshape(valueBias ? add(attended, valueBias) : attended, [batch, 1, hiddenSize])
  },
})

/**
 * The first token's row of `attention(qkv(x))`, by another order of the same products: q·(Wk·xₙ) = (q·Wk)·xₙ, and
 * Σ pₙ·(Wv·xₙ) = Wv·(Σ pₙ·xₙ), so that no other token is projected (the class attention of CaiT, Touvron et al. 2021, has
 * the same inputs and result). FLOPs B·(6·C² + 4·H·N·C), where all keys and values take 4·B·N·C² by themselves. In float32,
 * also under autocast.
 *
 * @param x [B, N, C]; token 0 asks, all are attended to
 * @param weights query, key and value, [C, C] each
 * @param biases [C] each, or none. The key's changes nothing, as softmax takes away what all scores share
 * @param options heads, and the factor of the scores
 * @returns [B, 1, C]; head h fills the columns h·D to (h + 1)·D
 */
export function classAttention(
  x: Tensor3D,
  weights: Triple<Tensor2D>,
  biases: Triple<Tensor1D> | undefined,
  { numHeads, scale }: Pick<AttentionOptions, 'numHeads' | 'scale'>,
): Tensor3D {
  checkQkv('classAttention', x, weights, biases)
  checkInteger('classAttention: numHeads', numHeads, 1)
  const headSize = x.shape[2] / numHeads
  if (!isInteger(headSize, 1))
    throw new Error(`classAttention: x has ${x.shape[2]} columns, which are not ${numHeads} heads of equal size.`)
  return op(qkvInputs(x, weights, biases), { numHeads, scale: scale ?? headSize ** -0.5 })
}
