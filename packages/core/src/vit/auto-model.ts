/** transformers' Auto classes: the model that a folder's config.json describes, with or without its classifier. */
import { ViTForImageClassification } from './classifier.ts'
import { ViTModel } from './model.ts'
import type { FromPretrainedOptions } from './pretrained/load-pretrained.ts'

/**
 * Features of images by any member of the family of Vision Transformers.
 *
 * @example
 * const model = await AutoModel.fromPretrained('facebook/dinov2-small')
 * model.forward(pixelValues).poolerOutput // [1, 384]
 */
export const AutoModel = {
  /** Loads what `model_type` in config.json names, or a folder of timm's; see ViTForImageClassification.fromPretrained. A head in the folder is left out. */
  fromPretrained: (source: string | URL, options: FromPretrainedOptions = {}): Promise<ViTModel> =>
    ViTModel.fromPretrained(source, options),
} as const

/**
 * A classifier by any member of the family.
 *
 * @example
 * const model = await AutoModelForImageClassification.fromPretrained('timm/deit3_small_patch16_224.fb_in1k')
 * model.config.modelType // 'timm'
 */
export const AutoModelForImageClassification = {
  /** Loads what `model_type` in config.json names, or a folder of timm's; see ViTForImageClassification.fromPretrained. */
  fromPretrained: (source: string | URL, options: FromPretrainedOptions = {}): Promise<ViTForImageClassification> =>
    ViTForImageClassification.fromPretrained(source, options),
} as const
