/** The public names of @vitral/core. */

export { type BackendChoice, type BackendName, useBackend } from './backend.ts'
export { type HubOptions, resolveModel } from './files/hub/hub.ts'
export type { DownloadProgress } from './files/hub/receive.ts'
export { readModelConfig } from './files/model-folder.ts'
export { readSafetensors, type SafetensorsFile, writeSafetensors } from './files/safetensors/safetensors-file.ts'
export { ViTImageProcessor } from './image/image-processor.ts'
export type { ImageProcessorConfig } from './image/processor-config.ts'
export type { RawImage } from './image/raw-image.ts'
export { type AutocastOptions, autocast } from './tape/autocast.ts'
export { noGrad } from './tape/no-grad.ts'
export { isFusion } from './tape/op.ts'
export { ownFloats } from './tape/own-floats.ts'
export { deriveSeed, normalStream, randomBits } from './tape/random.ts'
export type { ComputeDtype, TrainingDtype } from './tape/state.ts'
export { type ValueAndGrads, type ValueAndGradsOptions, valueAndGrads } from './tape/value-and-grads.ts'
export { attentionRollout } from './vit/attention-rollout.ts'
export { type ProblemType, patchGrid, type Size, type ViTConfig, type ViTConfigOptions } from './vit/config.ts'
export { type FlopsConfig, forwardFlops, trainingFlops } from './vit/flops.ts'
export { type LoraConfig, type LoraTarget, loraTargets, resolveLora } from './vit/lora/lora.ts'
export type { WriteAdaptersOptions } from './vit/lora/lora-folder.ts'
export { type Labels, type Loss, problemTypeOf } from './vit/loss.ts'
export {
  type ClassifierForwardOptions,
  type ClassifierGradsOptions,
  type ClassifierOutput,
  type ForwardOptions,
  type LossAndGrads,
  ViTForImageClassification,
  ViTModel,
  type ViTModelOptions,
  type ViTOutput,
} from './vit/model.ts'
export { mimeticValues } from './vit/parameters/mimetic-init.ts'
export type { Parameters } from './vit/parameters/parameters.ts'
export type { ParameterCounts, TrainablePart } from './vit/parameters/trainable.ts'
export type { FromPretrainedOptions } from './vit/pretrained/load-pretrained.ts'
export { configNames, namedConfig } from './vit/pretrained/named-configs.ts'
export type { AdapterOptions, ViTOptions } from './vit/pretrained-model.ts'
export { type Scoring, scores, scoringOf, topClasses } from './vit/scores.ts'
