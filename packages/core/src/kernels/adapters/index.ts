import type { BackendKernel } from '../kernel.ts'
/** The kernels of Vitral's ops, in the order in which a training step meets them. */
import { attention, attentionGrad } from './attention.ts'
import { classAttention, classAttentionGrad } from './class-attention.ts'
import { crossEntropy, crossEntropyGrad } from './cross-entropy.ts'
import { dropout, dropoutGrad } from './dropout.ts'
import { embedTokens, embedTokensGrad } from './embed-tokens.ts'
import { encoder } from './encoder.ts'
import { encoderLayer, encoderLayerGrad } from './encoder-layer.ts'
import { gelu, geluGrad } from './gelu.ts'
import { gradNorm } from './grad-norm.ts'
import { interpolatePositions, interpolatePositionsGrad } from './interpolate-positions.ts'
import { layerNorm, layerNormGrad } from './layer-norm.ts'
import { linear, linearGrad } from './linear.ts'
import { loraWeight, loraWeightGrad } from './lora-weight.ts'
import { maskTokens, maskTokensGrad } from './mask-tokens.ts'
import { optimizerStep } from './optimizer-step.ts'
import { patchEmbed, patchEmbedGrad } from './patch-embed.ts'
import { qkv, qkvGrad } from './qkv.ts'
import { selectToken, selectTokenGrad } from './select-token.ts'
import { unscale } from './unscale.ts'

export const kernels: readonly BackendKernel[] = [
  ...[patchEmbed, patchEmbedGrad],
  ...[maskTokens, maskTokensGrad],
  ...[interpolatePositions, interpolatePositionsGrad],
  ...[embedTokens, embedTokensGrad],
  ...[layerNorm, layerNormGrad],
  ...[qkv, qkvGrad],
  ...[attention, attentionGrad],
  ...[classAttention, classAttentionGrad],
  ...[linear, linearGrad],
  encoder,
  ...[encoderLayer, encoderLayerGrad],
  ...[loraWeight, loraWeightGrad],
  ...[gelu, geluGrad],
  ...[dropout, dropoutGrad],
  ...[selectToken, selectTokenGrad],
  ...[crossEntropy, crossEntropyGrad],
  ...[gradNorm, unscale, optimizerStep],
]
