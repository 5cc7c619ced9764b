/** Multi-head scaled dot-product attention over packed queries, keys and values. */
import {
  add,
  matMul,
  mul,
  reshape,
  slice,
  softmax,
  type Tensor,
  type Tensor3D,
  type Tensor4D,
  tensor4d,
  tidy,
  transpose,
} from '@tensorflow/tfjs-core'
import { checkInteger, isInteger } from '../check.ts'
import { defineOp } from '../tape/op.ts'
import { keepMask } from '../tape/random.ts'
import { checkProbability, checkShape } from './arguments.ts'
import { checkOutputDtype, type OutputDtype, type OutputDtypeOption } from './output-dtype.ts'

/** Options of attention. */
export interface AttentionOptions extends OutputDtypeOption {
  /** Heads H; they divide the hidden size. */
  numHeads: number
  /** Factor of the scores. @default (C / numHeads) ** -0.5 */
  scale?: number
  /** Dropout on the attention probabilities. @default 0 */
  dropoutProbability?: number
  /** Seed for dropout: the element (b, head, query, key) depends on the seed and its index alone. @default 0 */
  seed?: number
}

type AttentionAttrs = Required<Omit<AttentionOptions, 'outputDtype'>> & { outputDtype: OutputDtype }

const op = defineOp({
  kernel: 'VitralAttention',
  save: ['qkv'],
  saveOutput: true, // the next layer saves it anyway, and the backward pass has its row sums from it for nothing
  sideOutputs: ['logSumExp'], // [B, H, N]: with it the backward pass recomputes probabilities; no N×N tensor is saved
  half: true,
  gradients: ['qkv'],
  reference: ({ qkv }: { qkv: Tensor }, attrs: AttentionAttrs) => attentionReference(qkv, undefined, attrs),
})

const biasedOp = defineOp({
  kernel: 'VitralBiasedAttention',
  save: ['qkv', 'bias'],
  gradients: ['qkv', 'bias'],
  reference: ({ qkv, bias }: { qkv: Tensor; bias: Tensor }, attrs: Omit<AttentionAttrs, 'outputDtype'>) =>
    attentionReference(qkv, bias, attrs),
})

function attentionReference(
  qkv: Tensor,
  bias: Tensor | undefined,
  { numHeads, scale, dropoutProbability, seed }: Omit<AttentionAttrs, 'outputDtype'>,
): Tensor {
  const [batch, tokens, packedSize] = qkv.shape as Tensor3D['shape']
  const { query, key, value } = splitHeads(qkv, numHeads)
  const probabilities = softmax(scores(query, key, scale, bias)) as Tensor4D // [B, H, N, N]
  const mask = () => tensor4d(keepMask(seed, dropoutProbability, probabilities.size), probabilities.shape)
  const kept = dropoutProbability > 0 ? mul(probabilities, mask()) : probabilities
  return reshape(transpose(matMul(kept, value), [0, 2, 1, 3]), [batch, tokens, packedSize / 3])
}

function scores(query: Tensor, key: Tensor, scale: number, bias: Tensor | undefined): Tensor {
  const products = mul(matMul(query, key, false, true), scale)
  return bias ? add(products, reshape(bias, [1, ...bias.shape])) : products
}

/**
 * softmax(scale·Q·Kᵀ)·V for each head, heads concatenated (Vaswani et al. 2017;
 * torch.nn.functional.scaled_dot_product_attention). Softmax in float32. FLOPs 4·B·N²·C.
 *
 * @param qkv [B, N, 3·C] as made by `qkv`
 * @returns [B, N, C]; head h fills the columns h·D to (h + 1)·D
 */
export function attention(
  qkv: Tensor3D,
  { numHeads, scale, dropoutProbability = 0, seed = 0, outputDtype = 'float32' }: AttentionOptions,
): Tensor3D {
  const headSize = checkHeads('attention', qkv, numHeads)
  checkProbability('attention', 'dropoutProbability', dropoutProbability)
  checkInteger('attention: seed', seed)
  checkOutputDtype('attention', outputDtype)
  const attrs = { numHeads, scale: scale ?? headSize ** -0.5, dropoutProbability, seed, outputDtype }
  return op({ qkv }, attrs)
}

/**
 * softmax(scale·Q·Kᵀ + bias)·V for each head: attention whose scores know the tokens' relative positions. In float32, also
 * under autocast.
 *
 * @param qkv [B, N, 3·C] as made by `qkv`
 * @param bias [numHeads, N, N], the same for all images
 * @returns [B, N, C]
 */
export function biasedAttention(
  qkv: Tensor3D,
  bias: Tensor3D,
  { numHeads, scale, dropoutProbability = 0, seed = 0 }: Omit<AttentionOptions, 'outputDtype'>,
): Tensor3D {
  const headSize = checkHeads('biasedAttention', qkv, numHeads)
  checkShape('biasedAttention', 'bias', bias, [numHeads, qkv.shape[1], qkv.shape[1]])
  checkProbability('biasedAttention', 'dropoutProbability', dropoutProbability)
  checkInteger('biasedAttention: seed', seed)
  return biasedOp({ qkv, bias }, { numHeads, scale: scale ?? headSize ** -0.5, dropoutProbability, seed })
}

/**
 * The attention probabilities, for output: softmax(scale·Q·Kᵀ + bias), before dropout.
 *
 * @param bias [numHeads, N, N], or none
 * @returns [B, numHeads, N, N]; element (b, h, i, j) is how much query i attends to key j
 */
export function attentionProbabilities(
  qkv: Tensor3D,
  { numHeads, scale }: Pick<AttentionOptions, 'numHeads' | 'scale'>,
  bias?: Tensor3D,
): Tensor4D {
  const headSize = checkHeads('attentionProbabilities', qkv, numHeads)
  return tidy(() => {
    const { query, key } = splitHeads(qkv, numHeads)
    return softmax(scores(query, key, scale ?? headSize ** -0.5, bias)) as Tensor4D
  })
}

function checkHeads(name: string, qkv: Tensor3D, numHeads: number): number {
  checkShape(name, 'qkv', qkv, ['batch', 'tokens', '3·hiddenSize'])
  checkInteger(`${name}: numHeads`, numHeads, 1)
  const headSize = qkv.shape[2] / 3 / numHeads
  if (!isInteger(headSize, 1))
    throw new Error(`${name}: qkv has ${qkv.shape[2]} columns, which are not 3 × ${numHeads} heads of equal size.`)
  return headSize
}

/** [B, N, 3·C] → three of [B, H, N, D]. */
function splitHeads(qkv: Tensor, numHeads: number): { query: Tensor4D; key: Tensor4D; value: Tensor4D } {
  const [batch, tokens, packedSize] = qkv.shape as Tensor3D['shape']
  const hiddenSize = packedSize / 3
  const [query, key, value] = [0, 1, 2].map(part => {
    const columns = slice(qkv, [0, 0, part * hiddenSize], [batch, tokens, hiddenSize])
    return transpose(reshape(columns, [batch, tokens, numHeads, hiddenSize / numHeads]), [0, 2, 1, 3])
  }) as [Tensor4D, Tensor4D, Tensor4D]
  return { query, key, value }
}
