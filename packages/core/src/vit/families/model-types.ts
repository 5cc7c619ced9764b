/** The members of the family, by transformers' `model_type`, and what each takes for a field that nobody gives. */
import type { ViTConfig } from '../config.ts'

export const modelTypes = [
  'vit',
  'deit',
  'vit_msn',
  'vit_mae',
  'ijepa',
  'dinov2',
  'dinov2_with_registers',
  'dinov3_vit',
  'clip_vision_model',
  'siglip_vision_model',
  'beit',
  'data2vec-vision',
  'timm',
] as const

/** 'timm' is a folder of timm's, whose config.json has no model_type. */
export type ModelType = (typeof modelTypes)[number]

const dinov2 = {
  patchSize: 14,
  layerNormEps: 1e-6,
  layerScaleInit: 1,
  anyImageSize: true,
  headInput: 'class-and-mean',
} as const satisfies Partial<ViTConfig>

const beit = {
  positionedTokens: 'none',
  keyBias: false,
  layerScaleInit: 0.1,
  dropPathRate: 0.1,
  finalNorm: 'pooled',
  pooling: 'mean',
} as const satisfies Partial<ViTConfig>

/** What differs from ViT's defaults, by the defaults of each configuration class of transformers. */
export const modelDefaults: Readonly<Record<ModelType, Partial<ViTConfig>>> = {
  vit: {},
  deit: { distillationToken: true },
  vit_msn: { layerNormEps: 1e-6 },
  vit_mae: {},
  ijepa: { classToken: false, pooling: 'mean' },
  dinov2,
  dinov2_with_registers: { ...dinov2, numRegisterTokens: 4, antialiasPositions: true },
  dinov3_vit: {
    hiddenSize: 384,
    intermediateSize: 1536,
    numAttentionHeads: 6,
    layerNormEps: 1e-5,
    layerScaleInit: 1,
    keyBias: false,
    positionedTokens: 'none',
    ropeTheta: 100,
    anyImageSize: true,
  },
  clip_vision_model: {
    patchSize: 32,
    layerNormEps: 1e-5,
    hiddenAct: 'quick_gelu',
    patchBias: false,
    normBeforeEncoder: true,
    finalNorm: 'pooled',
    headInput: 'mean',
    projectionDim: 512,
  },
  siglip_vision_model: {
    layerNormEps: 1e-6,
    hiddenAct: 'gelu_tanh',
    classToken: false,
    pooling: 'attention',
    headInput: 'mean',
  },
  beit,
  'data2vec-vision': beit,
  timm: { layerNormEps: 1e-6, antialiasPositions: true },
}
