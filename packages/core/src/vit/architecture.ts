/** What members of the family of Vision Transformers differ in: switches of one encoder, and the rules for them. */
import { isInteger } from '../check.ts'

/** The tokens with a learned position: class, distillation and patch tokens; patches alone; or none. Registers have none. */
export type PositionedTokens = 'all' | 'patches' | 'none'

/** The pooled features: the class token, the mean of the patches, or an attention pooling head's. */
export type Pooling = 'class' | 'mean' | 'attention'

/**
 * What the classifier reads: the pooled features; the class token and the mean of the patches, one after the other; the
 * mean of the patches as the encoder gives it; or class and distillation token, each with a classifier, whose logits are
 * averaged.
 */
export type HeadInput = 'pooled' | 'class-and-mean' | 'mean' | 'class-and-distillation'

/** The switches. Defaults are those of transformers' ViT. */
export interface ViTArchitecture {
  /** Whether a class token comes before the patches. @default true */
  classToken: boolean
  /** Whether a distillation token comes after the class token (DeiT, Touvron et al. 2021). @default false */
  distillationToken: boolean
  /** Register tokens between these and the patches (Darcet et al. 2023). @default 0 */
  numRegisterTokens: number
  /** Which tokens have a learned position. @default 'all' */
  positionedTokens: PositionedTokens
  /** Whether positions are interpolated with antialiasing: then also for an image that is larger. @default false */
  antialiasPositions: boolean
  /** Whether images of other sizes than imageSize need no interpolatePosEncoding. @default false */
  anyImageSize: boolean
  /** Whether the projection of patches has a bias. @default true */
  patchBias: boolean
  /** Whether a layer norm comes before the encoder (CLIP). @default false */
  normBeforeEncoder: boolean
  /** Whether the final norm is of every token, or of the pooled features alone. @default 'tokens' */
  finalNorm: 'tokens' | 'pooled'
  /** Whether the key has a bias where query and value have one; it changes no probability. @default true */
  keyBias: boolean
  /** Initial value of the factors of each branch's result (CaiT's layer scale); null for none. @default null */
  layerScaleInit: number | null
  /** Whether the MLP is gated: down(act(gate(x)) · up(x)), with silu SwiGLU (Shazeer 2020). @default false */
  gatedMlp: boolean
  /** Base of the rotary positions of queries and keys of the patches (DINOv3); null for none. @default null */
  ropeTheta: number | null
  /** Learned bias of the scores by relative position (BEiT): none, a table for each layer, or one for all. @default 'none' */
  relativePositionBias: 'none' | 'layer' | 'shared'
  /** Whether queries and keys have a layer norm in each head. @default false */
  qkNorm: boolean
  /** What the pooled features are. @default 'class' */
  pooling: Pooling
  /** What the classifier reads. @default 'pooled' */
  headInput: HeadInput
  /** Width of a linear projection of the pooled features (CLIP); null for none. @default null */
  projectionDim: number | null
}

export const architectureDefaults: ViTArchitecture = {
  classToken: true,
  distillationToken: false,
  numRegisterTokens: 0,
  positionedTokens: 'all',
  antialiasPositions: false,
  anyImageSize: false,
  patchBias: true,
  normBeforeEncoder: false,
  finalNorm: 'tokens',
  keyBias: true,
  layerScaleInit: null,
  gatedMlp: false,
  ropeTheta: null,
  relativePositionBias: 'none',
  qkNorm: false,
  pooling: 'class',
  headInput: 'pooled',
  projectionDim: null,
}

type PrefixTokens = Pick<ViTArchitecture, 'classToken' | 'distillationToken' | 'numRegisterTokens'>

/** Tokens before the patches. */
export const numPrefixTokens = ({ classToken, distillationToken, numRegisterTokens }: PrefixTokens): number =>
  Number(classToken) + Number(distillationToken) + numRegisterTokens

/** Tokens before the patches that have a learned position. */
export const numPositionedPrefix = ({
  positionedTokens,
  classToken,
  distillationToken,
}: PrefixTokens & Pick<ViTArchitecture, 'positionedTokens'>): number =>
  positionedTokens === 'all' ? Number(classToken) + Number(distillationToken) : 0

/** Numbers that a classifier reads, or, without classes, that a model gives in their place. */
export const featureSize = ({
  headInput,
  hiddenSize,
  numLabels,
}: Pick<ViTArchitecture, 'headInput'> & { hiddenSize: number; numLabels: number }): number =>
  headInput === 'class-and-mean' && numLabels > 0 ? 2 * hiddenSize : hiddenSize

/** Whether a classifier reads nothing of the encoder but the class token. */
export const readsClassToken = ({
  pooling,
  headInput,
  numLabels,
}: Pick<ViTArchitecture, 'pooling' | 'headInput'> & { numLabels: number }): boolean =>
  pooling === 'class' && (headInput === 'pooled' || numLabels === 0)

/** Whether the layers are those of the paper, which kernels of whole layers compute; layer scale goes into weights. */
export const hasPlainLayers = ({
  hiddenAct,
  gatedMlp,
  ...config
}: AttentionSwitches & Pick<ViTArchitecture, 'gatedMlp'> & { hiddenAct: string }): boolean =>
  hiddenAct === 'gelu' && !gatedMlp && hasPlainAttention(config)

type AttentionSwitches = Pick<ViTArchitecture, 'ropeTheta' | 'relativePositionBias' | 'qkNorm'>

export const hasPlainAttention = ({ ropeTheta, relativePositionBias, qkNorm }: AttentionSwitches): boolean =>
  ropeTheta === null && relativePositionBias === 'none' && !qkNorm

/** Requires switches that go together. */
export function validateArchitecture(
  config: ViTArchitecture & { hiddenSize: number; numAttentionHeads: number },
  require: (holds: boolean, field: keyof ViTArchitecture, expected: string) => void,
): void {
  const { classToken, pooling, headInput, ropeTheta, layerScaleInit, projectionDim, hiddenSize } = config
  require(isInteger(config.numRegisterTokens, 0, 1024), 'numRegisterTokens', 'a whole number from 0 to 1024')
  require(['all', 'patches', 'none'].includes(
    config.positionedTokens,
  ), 'positionedTokens', "'all', 'patches' or 'none'")
  require(['tokens', 'pooled'].includes(config.finalNorm), 'finalNorm', "'tokens' or 'pooled'")
  require(['none', 'layer', 'shared'].includes(
    config.relativePositionBias,
  ), 'relativePositionBias', "'none', 'layer' or 'shared'")
  require(['class', 'mean', 'attention'].includes(pooling), 'pooling', "'class', 'mean' or 'attention'")
  require(['pooled', 'class-and-mean', 'mean', 'class-and-distillation'].includes(
    headInput,
  ), 'headInput', "'pooled', 'class-and-mean', 'mean' or 'class-and-distillation'")
  require(classToken || !config.distillationToken, 'distillationToken', 'false without a class token')
  require(classToken || pooling !== 'class', 'pooling', "'mean' or 'attention' without a class token")
  require(classToken || !headInput.startsWith('class'), 'headInput', "'pooled' or 'mean' without a class token")
  require(config.distillationToken ||
    headInput !== 'class-and-distillation', 'headInput', 'another without a distillation token')
  require(config.relativePositionBias === 'none' ||
    (classToken &&
      !config.distillationToken &&
      config.numRegisterTokens ===
        0), 'relativePositionBias', "'none' where the tokens before the patches are others than a class token")
  require(layerScaleInit === null || Number.isFinite(layerScaleInit), 'layerScaleInit', 'a number, or null')
  require(projectionDim === null || isInteger(projectionDim, 1), 'projectionDim', 'a positive whole number, or null')
  require(ropeTheta === null ||
    (Number.isFinite(ropeTheta) && ropeTheta > 0), 'ropeTheta', 'a positive number, or null')
  require(ropeTheta === null ||
    (hiddenSize / config.numAttentionHeads) % 4 ===
      0, 'ropeTheta', 'null where the width of a head is no multiple of 4')
}
