/** @vitral/core/vit: parts of a model in detail: FLOPs, patches, adapters, initial values, and types of options. */

export { featureSize } from './architecture.ts'
export { type RolloutOptions, rolloutOptions } from './attention-rollout.ts'
export type { ClassifierGradsOptions, LossAndGrads } from './classifier.ts'
export { patchGrid } from './config.ts'
export { type FlopsConfig, forwardFlops, trainingFlops } from './flops.ts'
export { type LoraTarget, loraTargets, resolveLora } from './lora/lora.ts'
export type { WriteAdaptersOptions } from './lora/lora-folder.ts'
export { problemTypeOf } from './loss.ts'
export { mimeticValues } from './parameters/mimetic-init.ts'
export type { Parameters } from './parameters/parameters.ts'
export type { TrainablePart } from './parameters/trainable.ts'
