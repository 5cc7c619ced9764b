/** The ops a ViT is made of, one file each. */

export { activate } from './activate.ts'
export type { Activation } from './activations.ts'
export { type AttentionOptions, attention, attentionProbabilities, biasedAttention } from './attention.ts'
export { attentionPool } from './attention-pool.ts'
export { classAttention } from './class-attention.ts'
export { type DropoutOptions, dropout } from './dropout.ts'
export { embedTokens } from './embed-tokens.ts'
export { gelu } from './gelu.ts'
export { insertTokens } from './insert-tokens.ts'
export { type Grid, type InterpolationOptions, interpolatePositions } from './interpolate-positions.ts'
export { layerNorm } from './layer-norm.ts'
export { type LinearDrops, type LinearOptions, linear } from './linear.ts'
export { loraWeight } from './lora-weight.ts'
export { type BinaryCrossEntropyOptions, binaryCrossEntropy } from './losses/binary-cross-entropy.ts'
export { type CrossEntropyOptions, crossEntropy } from './losses/cross-entropy.ts'
export { type DistillationLossOptions, distillationLoss } from './losses/distillation-loss.ts'
export { type FocalLossOptions, focalLoss } from './losses/focal-loss.ts'
export { meanSquaredError } from './losses/mean-squared-error.ts'
export type { LabelTensor } from './losses/targets.ts'
export { maskTokens } from './mask-tokens.ts'
export { meanTokens } from './mean-tokens.ts'
export { type HeadNorm, normHeads } from './norm-heads.ts'
export type { OutputDtype } from './output-dtype.ts'
export { patchEmbed } from './patch-embed.ts'
export { qkv, type Triple } from './qkv.ts'
export { relativeBias } from './relative-bias.ts'
export { rotateHeads } from './rotate-heads.ts'
export { scaleRows } from './scale-rows.ts'
export { selectToken } from './select-token.ts'
export { gradNorm } from './training/grad-norm.ts'
export {
  type AdamStep,
  type LionStep,
  type OptimizerTensors,
  optimizerStep,
  type SgdStep,
  stateSlots,
} from './training/optimizer-step.ts'
export { unscale } from './training/unscale.ts'
