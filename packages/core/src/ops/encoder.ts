/** Whole pre-norm encoder layers, where a backend has them as one kernel and no gradient is wanted. */
import type { NamedTensorMap, Tensor, Tensor3D } from '@tensorflow/tfjs-core'
import { defineFusion } from '../tape/op.ts'
import type { EncoderLayerTensors } from './encoder-layer.ts'

// A type, not an interface: only types fit the index signature of attributes.
export type EncoderAttrs = {
  numHeads: number
  /** Nothing but the class token comes out. */
  classTokenOnly: boolean
  /** Of the attention scores. */
  scale: number
  /** Of all norms. */
  eps: number
}

const op = defineFusion<EncoderAttrs & { layers: number }>('VitralEncoder')

/** Of each layer so far `0.upWeight` and so on, by short names: made once, as of a small model they take their time. */
const inputNames: Record<string, string>[] = []

/**
 * Of each layer h = x + projection(attention(qkv(norm(x)))), then h + down(gelu(up(norm(h)))): `layerNorm`, `qkv`, `attention`
 * and `linear` without dropout (torch's fast path of TransformerEncoder); `classAttention` in the last one, where nothing but
 * the class token comes out.
 *
 * @param x [B, N, C]
 * @param layers their parameters, asked for only where they are one kernel, which gets them as `0.upWeight` and so on
 * @returns [B, N, C] or [B, 1, C], or undefined where the ops must run apart
 */
export function encoder(
  x: Tensor3D,
  layers: readonly (() => EncoderLayerTensors)[],
  attrs: EncoderAttrs,
): Tensor3D | undefined {
  const inputs = () => {
    const all: NamedTensorMap = { x }
    for (const [i, tensors] of layers.entries()) {
      inputNames[i] ??= {}
      const names = inputNames[i]
      const given: Record<string, Tensor | undefined> = { ...tensors() }
      for (const name in given) {
        names[name] ??= `${i}.${name}`
        if (given[name]) all[names[name]] = given[name]
      }
    }
    return all
  }
  return op(inputs, { ...attrs, layers: layers.length }) as Tensor3D | undefined
}
