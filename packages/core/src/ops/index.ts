/** The ops a ViT is made of, one file each. */

export { type AttentionOptions, attention, attentionProbabilities } from './attention.ts'
export { type BinaryCrossEntropyOptions, binaryCrossEntropy } from './binary-cross-entropy.ts'
export { classAttention } from './class-attention.ts'
export { type CrossEntropyOptions, crossEntropy } from './cross-entropy.ts'
export { type DistillationLossOptions, distillationLoss } from './distillation-loss.ts'
export { type DropoutOptions, dropout } from './dropout.ts'
export { embedTokens, maskTokens } from './embed-tokens.ts'
export { encoder, encoderIsFused } from './encoder.ts'
export {
  type AttentionTensors,
  type EncoderLayerDrops,
  type EncoderLayerTensors,
  encoderLayer,
  encoderLayerIsFused,
  type MlpTensors,
} from './encoder-layer.ts'
export { type FocalLossOptions, focalLoss } from './focal-loss.ts'
export { gelu } from './gelu.ts'
export { gradNorm } from './grad-norm.ts'
export { type Grid, interpolatePositions } from './interpolate-positions.ts'
export { layerNorm } from './layer-norm.ts'
export { type LinearDrops, type LinearOptions, linear } from './linear.ts'
export { loraWeight } from './lora-weight.ts'
export { meanSquaredError } from './mean-squared-error.ts'
export {
  type AdamStep,
  type LionStep,
  type OptimizerTensors,
  optimizerStep,
  type SgdStep,
  stateSlots,
} from './optimizer-step.ts'
export type { OutputDtype } from './output-dtype.ts'
export { patchEmbed } from './patch-embed.ts'
export { qkv, type Triple } from './qkv.ts'
export { selectToken } from './select-token.ts'
export type { LabelTensor } from './targets.ts'
export { unscale } from './unscale.ts'
