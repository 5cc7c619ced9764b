import type { BackendKernel } from '../kernel.ts'
/** The kernels of Vitral's ops, in the order in which a training step meets them. */
import { activate, activateGrad } from './activate.ts'
import { attention, attentionGrad } from './attention.ts'
import { biasedAttention, biasedAttentionGrad } from './biased-attention.ts'
import { classAttention, classAttentionGrad } from './class-attention.ts'
import { crossEntropy, crossEntropyGrad } from './cross-entropy.ts'
import { dropout, dropoutGrad } from './dropout.ts'
import { embedTokens, embedTokensGrad } from './embed-tokens.ts'
import { encoder } from './encoder.ts'
import { encoderLayer, encoderLayerGrad } from './encoder-layer.ts'
import { gelu, geluGrad } from './gelu.ts'
import { gradNorm } from './grad-norm.ts'
import { insertTokens, insertTokensGrad } from './insert-tokens.ts'
import { interpolatePositions, interpolatePositionsGrad } from './interpolate-positions.ts'
import { layerNorm, layerNormGrad } from './layer-norm.ts'
import { linear, linearGrad } from './linear.ts'
import { loraWeight, loraWeightGrad } from './lora-weight.ts'
import { maskTokens, maskTokensGrad } from './mask-tokens.ts'
import { meanTokens, meanTokensGrad } from './mean-tokens.ts'
import { optimizerStep } from './optimizer-step.ts'
import { patchEmbed, patchEmbedGrad } from './patch-embed.ts'
import { qkv, qkvGrad } from './qkv.ts'
import { relativeBias, relativeBiasGrad } from './relative-bias.ts'
import { rotateHeads, rotateHeadsGrad } from './rotate-heads.ts'
import { scaleRows, scaleRowsGrad } from './scale-rows.ts'
import { selectToken, selectTokenGrad } from './select-token.ts'
import { unscale } from './unscale.ts'

export const kernels: readonly BackendKernel[] = [
  ...[patchEmbed, patchEmbedGrad],
  ...[maskTokens, maskTokensGrad],
  ...[interpolatePositions, interpolatePositionsGrad],
  ...[embedTokens, embedTokensGrad],
  ...[insertTokens, insertTokensGrad],
  ...[layerNorm, layerNormGrad],
  ...[qkv, qkvGrad],
  ...[rotateHeads, rotateHeadsGrad],
  ...[relativeBias, relativeBiasGrad],
  ...[attention, attentionGrad],
  ...[biasedAttention, biasedAttentionGrad],
  ...[classAttention, classAttentionGrad],
  ...[linear, linearGrad],
  encoder,
  ...[encoderLayer, encoderLayerGrad],
  ...[loraWeight, loraWeightGrad],
  ...[scaleRows, scaleRowsGrad],
  ...[gelu, geluGrad],
  ...[activate, activateGrad],
  ...[dropout, dropoutGrad],
  ...[selectToken, selectTokenGrad],
  ...[meanTokens, meanTokensGrad],
  ...[crossEntropy, crossEntropyGrad],
  ...[gradNorm, unscale, optimizerStep],
]
