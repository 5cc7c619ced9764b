/** A layer norm of each head's queries, and one of its keys (ViT-22B, Dehghani et al. 2023). */
import { concat, reshape, slice, type Tensor1D, type Tensor3D, tidy } from '@tensorflow/tfjs-core'
import { checkInteger } from '../check.ts'
import { checkShape } from './arguments.ts'
import { layerNorm } from './layer-norm.ts'

/** The parameters of a norm. */
export interface HeadNorm {
  /** What multiplies each column of a head, [D]. */
  weight: Tensor1D
  /** What is added to each, [D]. */
  bias: Tensor1D
}

/**
 * Queries and keys normalized over the columns of each head; values as they are.
 *
 * @param qkv [B, N, 3·C], as made by `qkv`
 * @returns shape of qkv
 */
export function normHeads(
  qkv: Tensor3D,
  query: HeadNorm,
  key: HeadNorm,
  { numHeads, eps }: { numHeads: number; eps: number },
): Tensor3D {
  checkShape('normHeads', 'qkv', qkv, ['batch', 'tokens', '3·hiddenSize'])
  checkInteger('normHeads: numHeads', numHeads, 1)
  const [batch, tokens, packedSize] = qkv.shape
  const hiddenSize = packedSize / 3
  return tidy(() => {
    const columns = (part: number): Tensor3D => slice(qkv, [0, 0, part * hiddenSize], [batch, tokens, hiddenSize])
    const normed = (part: number, { weight, bias }: HeadNorm): Tensor3D => {
      const heads = reshape(columns(part), [batch, tokens, numHeads, hiddenSize / numHeads])
      return reshape(layerNorm(heads, weight, bias, eps), [batch, tokens, hiddenSize])
    }
    return concat([normed(0, query), normed(1, key), columns(2)], -1)
  })
}
