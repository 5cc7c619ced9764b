/** The attention of a layer's tokens by the ops that cost least, and the formats in which these pass their results on. */
import { type Tensor2D, type Tensor3D, tensor1d, tensor2d } from '@tensorflow/tfjs-core'
import type { AttentionTensors } from '../ops/fused/encoder-layer.ts'
import {
  attention,
  attentionProbabilities,
  biasedAttention,
  classAttention,
  type Grid,
  normHeads,
  qkv,
  relativeBias,
  rotateHeads,
} from '../ops/index.ts'
import { hasPlainAttention, numPrefixTokens } from './architecture.ts'
import type { Normed } from './branch.ts'
import { attentionScale, type ViTConfig } from './config.ts'
import { classToken } from './embeddings.ts'
import type { LayerPass } from './forward-pass.ts'
import type { ParameterScope } from './parameter-scope.ts'
import { relativePositionIndex } from './relative-positions.ts'
import { rotationOf } from './rotary-positions.ts'

type Projections = Omit<AttentionTensors, 'projectionWeight' | 'projectionBias'>

/** What attention has beside its projections. */
export interface AttentionParts {
  config: ViTConfig
  queryNorm: ParameterScope | undefined
  keyNorm: ParameterScope | undefined
  /** The table of relative positions. */
  bias: ParameterScope | undefined
}

/**
 * softmax(scale·Q·Kᵀ + bias)·V of the heads, concatenated.
 *
 * @param x [B, N, C]
 * @returns [B, N, C], or [B, 1, C] where the class token alone attends
 */
export function attend(x: Normed, projections: Projections, parts: AttentionParts, pass: LayerPass): Tensor3D {
  const { drops, classTokenOnly, onProbabilities, grid } = pass
  const { dropoutProbability, seed } = drops.attention
  const { queryWeight, keyWeight, valueWeight, queryBias, keyBias, valueBias } = projections
  const weights = [queryWeight, keyWeight, valueWeight] as const
  const biases = queryBias && keyBias && valueBias && ([queryBias, keyBias, valueBias] as const)
  const heads = { numHeads: parts.config.numAttentionHeads, scale: attentionScale(parts.config) }
  const isPlain = hasPlainAttention(parts.config)
  // One query needs no keys and values of the other tokens; their probabilities are then nowhere to be dropped.
  if (classTokenOnly && dropoutProbability === 0 && isPlain) return classAttention(x('float32'), weights, biases, heads)
  const projected = qkv(x('compute'), weights, biases, { outputDtype: isPlain ? 'compute' : 'float32' }) // [B, N, 3·C]
  const packed = isPlain ? projected : rotated(normed(projected, parts), grid, parts.config)
  const bias = parts.bias && relativeBias(tableOf(parts.bias), tensor1d(relativePositionIndex(grid), 'int32')) // [H, N, N]
  onProbabilities?.(attentionProbabilities(packed, heads, bias))
  const options = { ...heads, dropoutProbability, seed }
  // The class token is selected first, then read by a product.
  const attended = bias
    ? biasedAttention(packed, bias, options)
    : attention(packed, { ...options, outputDtype: classTokenOnly ? 'float32' : 'compute' })
  return classTokenOnly ? classToken(attended) : attended
}

const tableOf = (bias: ParameterScope): Tensor2D => bias.matrix('relative_position_bias_table')

function normed(packed: Tensor3D, { queryNorm, keyNorm, config }: AttentionParts): Tensor3D {
  if (!queryNorm || !keyNorm) return packed
  const tensors = (norm: ParameterScope) => ({ weight: norm.vector('weight'), bias: norm.vector('bias') })
  const { numAttentionHeads: numHeads, layerNormEps: eps } = config
  return normHeads(packed, tensors(queryNorm), tensors(keyNorm), { numHeads, eps })
}

function rotated(packed: Tensor3D, grid: Grid, config: ViTConfig): Tensor3D {
  const { ropeTheta, hiddenSize, numAttentionHeads: numHeads } = config
  if (ropeTheta === null) return packed
  const headSize = hiddenSize / numHeads
  const { cosines, sines } = rotationOf(grid, headSize, ropeTheta)
  const shape: [number, number] = [grid[0] * grid[1], headSize / 2]
  const prefix = numPrefixTokens(config)
  return rotateHeads(packed, tensor2d(cosines, shape), tensor2d(sines, shape), { numHeads, prefix })
}
