/** A whole pre-norm encoder layer that trains, where a backend has it and its gradient as one kernel each. */
import type { Tensor, Tensor1D, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core'
import { checkInteger } from '../../check.ts'
import { defineFusedOp } from '../../tape/op.ts'
import { checkProbability } from '../arguments.ts'
import type { LinearDrops } from '../linear.ts'

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

/** The parameters of a layer. */
export interface EncoderLayerTensors extends AttentionTensors, MlpTensors {
  normBeforeWeight: Tensor1D
  normBeforeBias: Tensor1D
  normAfterWeight: Tensor1D
  normAfterBias: Tensor1D
}

/** Dropout and drop path of a layer that trains. */
export interface EncoderLayerDrops {
  /** Dropout on the attention's probabilities. */
  attention: { dropoutProbability: number; seed: number }
  /** Dropout and drop path at the end of each branch. */
  afterAttention: Required<LinearDrops>
  afterMlp: Required<LinearDrops>
}

export interface EncoderLayerOptions extends EncoderLayerDrops {
  numHeads: number
  /** Factor of the attention scores. */
  scale: number
  /** Epsilon of both norms. */
  eps: number
}

interface EncoderLayerInputs extends EncoderLayerTensors {
  [name: string]: Tensor | undefined
  x: Tensor3D
}

type EncoderLayerAttrs = {
  numHeads: number
  scale: number
  eps: number
  dropoutProbability: number
  seed: number
  /** Probability and seed of dropout, and of drop path. */
  afterAttention: number[]
  afterMlp: number[]
}

const weights = ['queryWeight', 'keyWeight', 'valueWeight', 'projectionWeight', 'upWeight', 'downWeight'] as const
const norms = ['normBeforeWeight', 'normBeforeBias', 'normAfterWeight', 'normAfterBias'] as const
const biases = ['queryBias', 'keyBias', 'valueBias', 'projectionBias', 'upBias', 'downBias'] as const

const op = defineFusedOp<EncoderLayerInputs, EncoderLayerAttrs>({
  kernel: 'VitralEncoderLayer',
  save: ['x', ...norms, ...weights],
  sideOutputs: ['saved'], // the activations that the ops' gradients read, in the kernel's own layout; norms are computed again
  half: true,
  gradients: ['x', ...norms, ...weights, ...biases],
})

/** Whether the backend has a layer and its gradient as one kernel each, and a gradient is recorded. */
export const encoderLayerIsFused = (): boolean => op.isAvailable()

/**
 * `layerNorm`, `qkv`, `attention` and `linear` as in `encoder`, under a tape and with dropout and drop path. Only
 * where `encoderLayerIsFused()`.
 *
 * @param x [B, N, C]
 * @returns [B, N, C]
 */
export function encoderLayer(
  x: Tensor3D,
  tensors: EncoderLayerTensors,
  { attention, afterAttention, afterMlp, ...options }: EncoderLayerOptions,
): Tensor3D {
  checkProbability('encoderLayer', 'dropoutProbability', attention.dropoutProbability)
  checkInteger('encoderLayer: seed', attention.seed)
  const ends = { afterAttention: numbers(afterAttention), afterMlp: numbers(afterMlp) }
  return op.run({ x, ...tensors }, { ...options, ...attention, ...ends })
}

function numbers(drops: Required<LinearDrops>): number[] {
  const { dropoutProbability, dropoutSeed, dropPathProbability, dropPathSeed } = drops
  checkProbability('encoderLayer', 'dropoutProbability', dropoutProbability)
  checkProbability('encoderLayer', 'dropPathProbability', dropPathProbability)
  checkInteger('encoderLayer: dropoutSeed', dropoutSeed)
  checkInteger('encoderLayer: dropPathSeed', dropPathSeed)
  return [dropoutProbability, dropoutSeed, dropPathProbability, dropPathSeed]
}
