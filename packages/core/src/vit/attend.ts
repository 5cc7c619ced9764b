/** The attention of a layer's tokens by the ops that cost least, and the formats in which these pass their results on. */
import type { Tensor3D } from '@tensorflow/tfjs-core'
import type { AttentionTensors } from '../ops/fused/encoder-layer.ts'
import { attention, attentionProbabilities, classAttention, qkv } from '../ops/index.ts'
import type { Normed } from './branch.ts'
import { classToken } from './embeddings.ts'
import type { LayerPass } from './forward-pass.ts'

type Projections = Omit<AttentionTensors, 'projectionWeight' | 'projectionBias'>

interface Heads {
  numHeads: number
  /** Factor of the scores. */
  scale: number
}

/**
 * softmax(scale·Q·Kᵀ)·V of the heads, concatenated.
 *
 * @param x [B, N, C]
 * @returns [B, N, C], or [B, 1, C] where the class token alone attends
 */
export function attend(x: Normed, projections: Projections, { numHeads, scale }: Heads, pass: LayerPass): Tensor3D {
  const { drops, classTokenOnly, onProbabilities } = pass
  const { dropoutProbability, seed } = drops.attention
  const { queryWeight, keyWeight, valueWeight, queryBias, keyBias, valueBias } = projections
  const weights = [queryWeight, keyWeight, valueWeight] as const
  const biases = queryBias && keyBias && valueBias && ([queryBias, keyBias, valueBias] as const)
  // One query needs no keys and values of the other tokens; their probabilities are then nowhere to be dropped.
  if (classTokenOnly && dropoutProbability === 0)
    return classAttention(x('float32'), weights, biases, { numHeads, scale })
  const packed = qkv(x('compute'), weights, biases, { outputDtype: 'compute' }) // [B, N, 3·C]
  onProbabilities?.(attentionProbabilities(packed, { numHeads, scale }))
  const outputDtype = classTokenOnly ? 'float32' : 'compute' // the class token is selected first, then read by a product
  const attended = attention(packed, { numHeads, scale, dropoutProbability, seed, outputDtype })
  return classTokenOnly ? classToken(attended) : attended
}
