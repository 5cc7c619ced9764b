/** A whole pre-norm encoder layer, where a backend has it as one kernel and no gradient is wanted. */
import type { Tensor, Tensor1D, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core'
import { defineFusion } from '../tape/op.ts'

/** The parameters of self-attention; biases of query, key and value are all there or all absent. */
export interface AttentionTensors {
  queryWeight: Tensor2D
  keyWeight: Tensor2D
  valueWeight: Tensor2D
  queryBias: Tensor1D | undefined
  keyBias: Tensor1D | undefined
  valueBias: Tensor1D | undefined
  projectionWeight: Tensor2D
  projectionBias: Tensor1D
}

/** The parameters of the feed-forward network. */
export interface MlpTensors {
  upWeight: Tensor2D
  upBias: Tensor1D
  downWeight: Tensor2D
  downBias: Tensor1D
}

export interface EncoderLayerInputs extends AttentionTensors, MlpTensors {
  [name: string]: Tensor | undefined
  x: Tensor3D
  normBeforeWeight: Tensor1D
  normBeforeBias: Tensor1D
  normAfterWeight: Tensor1D
  normAfterBias: Tensor1D
}

// A type, not an interface: only types fit the index signature of attributes.
export type EncoderLayerAttrs = {
  numHeads: number
  /** How many tokens come out, from the first on. */
  outputTokens: number
  /** Of the attention scores. */
  scale: number
  /** Of both norms. */
  eps: number
}

const op = defineFusion<EncoderLayerInputs, EncoderLayerAttrs>('VitralEncoderLayer')

/**
 * h = x + projection(attention(qkv(norm(x)))), then h + down(gelu(up(norm(h)))): `layerNorm`, `qkv`, `attention` and
 * `linear` without dropout (torch's fast path of TransformerEncoderLayer).
 *
 * @param inputs asked for only where it is one kernel; x is [B, N, C]
 * @returns [B, outputTokens, C], or undefined where the ops must run apart
 */
export function encoderLayer(inputs: () => EncoderLayerInputs, attrs: EncoderLayerAttrs): Tensor3D | undefined {
  return op(inputs, attrs) as Tensor3D | undefined
}
