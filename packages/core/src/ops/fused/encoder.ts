/** Whole pre-norm encoder layers, where a backend has them as one kernel and no gradient is wanted. */
import type { NamedTensorMap, Tensor, Tensor3D } from '@tensorflow/tfjs-core'
import { defineFusion } from '../../tape/op.ts'
import type { EncoderLayerTensors } from './encoder-layer.ts'

// A type, not an interface: only types fit the index signature of attributes.
export type EncoderAttrs = {
  numHeads: number
  /** Whether nothing but the class token comes out. */
  classTokenOnly: boolean
  /** Factor of the attention scores. */
  scale: number
  /** Epsilon of all norms. */
  eps: number
}

const op = defineFusion<EncoderAttrs & { layers: number }>('VitralEncoder')

/** `0.upWeight` and so on, for each layer by the short name. Joined once: in a small model that takes as long as a kernel. */
const inputNames: Record<string, string>[] = []

/** Whether the backend has all layers as one kernel, and no gradient is recorded. */
export const encoderIsFused = (): boolean => op.isAvailable()

/**
 * h = x + projection(attention(qkv(norm(x)))), then h + down(gelu(up(norm(h)))), layer after layer: `layerNorm`, `qkv`,
 * `attention` and `linear` without dropout (torch's fast path of TransformerEncoder); `classAttention` in the last layer,
 * where nothing but the class token comes out. Only where `encoderIsFused()`.
 *
 * @param x [B, N, C]
 * @param layers their parameters, which the kernel gets as `0.upWeight` and so on
 * @returns [B, N, C] or [B, 1, C]
 */
export function encoder(x: Tensor3D, layers: readonly EncoderLayerTensors[], attrs: EncoderAttrs): Tensor3D {
  const inputs: NamedTensorMap = { x }
  for (const [i, tensors] of layers.entries()) {
    inputNames[i] ??= {}
    const names = inputNames[i]
    const given: Record<string, Tensor | undefined> = { ...tensors }
    for (const name in given) {
      names[name] ??= `${i}.${name}`
      if (given[name]) inputs[names[name]] = given[name]
    }
  }
  return op.run(inputs, { ...attrs, layers: layers.length })
}
