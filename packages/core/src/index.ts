/** @vitral/core: models, their processors, backends and gradients: what most programs need. Further names are on subpaths. */

export { type BackendChoice, type BackendName, type BackendOptions, useBackend } from './backend.ts'
export type { HubOptions } from './files/hub/hub.ts'
export { readSafetensors, writeSafetensors } from './files/safetensors/safetensors-file.ts'
export { ViTImageProcessor } from './image/image-processor.ts'
export type { ImageSource } from './image/image-source.ts'
export type { ImageProcessorConfig } from './image/processor-config.ts'
export type { RawImage } from './image/raw-image.ts'
export { type AutocastOptions, autocast } from './tape/autocast.ts'
export { noGrad } from './tape/no-grad.ts'
export type { ComputeDtype, TrainingDtype } from './tape/state.ts'
export { valueAndGrads } from './tape/value-and-grads.ts'
export { attentionRollout } from './vit/attention-rollout.ts'
export type { ProblemType, Size, ViTConfig, ViTConfigOptions } from './vit/config.ts'
export type { LoraConfig } from './vit/lora/lora.ts'
export type { Labels, Loss } from './vit/loss.ts'
export {
  type ClassifierForwardOptions,
  type ClassifierOutput,
  type ForwardOptions,
  ViTForImageClassification,
  ViTModel,
  type ViTModelOptions,
  type ViTOutput,
} from './vit/model.ts'
export type { ParameterCounts } from './vit/parameters/trainable.ts'
export type { FromPretrainedOptions } from './vit/pretrained/load-pretrained.ts'
export { configNames, namedConfig } from './vit/pretrained/named-configs.ts'
export type { AdapterOptions, ViTOptions } from './vit/pretrained-model.ts'
export { scores, topClasses } from './vit/scores.ts'
