/** All kernels of the backend `webgpu` that are not tfjs's. */
import type { WebgpuKernel } from '../kernel.ts'
import { attention, attentionGrad } from './attention.ts'
import { classAttention, classAttentionGrad } from './class-attention.ts'
import { crossEntropy, crossEntropyGrad } from './cross-entropy.ts'
import { dropout, dropoutGrad } from './dropout.ts'
import { embedTokens, embedTokensGrad } from './embed-tokens.ts'
import { encoder } from './encoder.ts'
import { encoderLayer, encoderLayerGrad } from './encoder-layer.ts'
import { gelu, geluGrad } from './gelu.ts'
import { gradNorm } from './grad-norm.ts'
import { layerNorm, layerNormGrad } from './layer-norm.ts'
import { linear, linearGrad } from './linear.ts'
import { loraWeight, loraWeightGrad } from './lora-weight.ts'
import { maskTokens, maskTokensGrad } from './mask-tokens.ts'
import { optimizerStep } from './optimizer-step.ts'
import { patchEmbed, patchEmbedGrad } from './patch-embed.ts'
import { qkv, qkvGrad } from './qkv.ts'
import { selectToken, selectTokenGrad } from './select-token.ts'
import { unscale } from './unscale.ts'

export const kernels: readonly WebgpuKernel[] = [
  patchEmbed,
  patchEmbedGrad,
  embedTokens,
  embedTokensGrad,
  maskTokens,
  maskTokensGrad,
  layerNorm,
  layerNormGrad,
  qkv,
  qkvGrad,
  attention,
  attentionGrad,
  classAttention,
  classAttentionGrad,
  linear,
  linearGrad,
  loraWeight,
  loraWeightGrad,
  gelu,
  geluGrad,
  dropout,
  dropoutGrad,
  selectToken,
  selectTokenGrad,
  crossEntropy,
  crossEntropyGrad,
  encoder,
  encoderLayer,
  encoderLayerGrad,
  gradNorm,
  unscale,
  optimizerStep,
]
