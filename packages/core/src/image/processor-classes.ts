/** The image processors of transformers that Vitral does: what each takes for a field that a file leaves out. */
import { listChoices } from '../text.ts'
import type { ImageProcessorConfig } from './processor-config.ts'

export interface ProcessorClass {
  /** What differs from ViTImageProcessor's. */
  defaults: Partial<ImageProcessorConfig>
  /** A size that is one number is the shorter side's, and not height and width. */
  numberIsShortestEdge?: boolean
  /** The class that is not Fast passes do_center_crop over. */
  slowCropsNothing?: boolean
  /** It crops by crop_pct of the size, and below a size of 384 alone. */
  cropsByShare?: boolean
}

const exact = (length: number) => ({ height: length, width: length })

const clip: ProcessorClass = {
  defaults: {
    size: { shortestEdge: 224 },
    resample: 'bicubic',
    doCenterCrop: true,
    cropSize: exact(224),
    imageMean: [0.48145466, 0.4578275, 0.40821073],
    imageStd: [0.26862954, 0.26130258, 0.27577711],
  },
  numberIsShortestEdge: true,
}

const deit: ProcessorClass = {
  defaults: { size: exact(256), resample: 'bicubic', doCenterCrop: true, cropSize: exact(224) },
}

/** Classes by the part that their names share: DeiT of DeiTImageProcessor, DeiTImageProcessorFast, DeiTFeatureExtractor. */
export const processorClasses: Readonly<Record<string, ProcessorClass>> = {
  ViT: { defaults: {}, slowCropsNothing: true },
  DeiT: deit,
  Beit: deit,
  CLIP: clip,
  Bit: clip,
  Siglip: { defaults: { resample: 'bicubic' }, numberIsShortestEdge: true, slowCropsNothing: true },
  // Its class is Fast alone: it rescales first, and resizes floats, whose results differ from bytes by up to 3.4 of 255.
  DINOv3ViT: { defaults: { imageMean: [0.485, 0.456, 0.406], imageStd: [0.229, 0.224, 0.225] } },
  ConvNext: {
    defaults: { size: { shortestEdge: 384 } },
    numberIsShortestEdge: true,
    cropsByShare: true,
  },
}

/** The class that transformers takes for a file without one, by the model_type in config.json. */
const classOfModel: Readonly<Record<string, string>> = {
  vit: 'ViT',
  vit_msn: 'ViT',
  vit_mae: 'ViT',
  ijepa: 'ViT',
  deit: 'DeiT',
  beit: 'Beit',
  'data2vec-vision': 'Beit',
  clip: 'CLIP',
  clip_vision_model: 'CLIP',
  siglip: 'Siglip',
  siglip_vision_model: 'Siglip',
  dinov2: 'Bit',
  dinov2_with_registers: 'Bit',
  dinov3_vit: 'DINOv3ViT',
  convnext: 'ConvNext',
}

export const classNameOfModel = (modelType: unknown): string | undefined =>
  typeof modelType === 'string' && Object.hasOwn(classOfModel, modelType)
    ? `${classOfModel[modelType]}ImageProcessor`
    : undefined

export interface NamedClass extends ProcessorClass {
  /** torchvision's arithmetic in transformers 4. */
  isFast: boolean
}

/** @throws naming the class, when Vitral does not do what it does */
export function processorClass(name: string, source: string): NamedClass {
  const [, family, , suffix] = /^([A-Za-z0-9]+?)(ImageProcessor(Fast|Pil)?|FeatureExtractor)$/.exec(name) ?? []
  if (family !== undefined && Object.hasOwn(processorClasses, family))
    return { ...(processorClasses[family] as ProcessorClass), isFast: suffix === 'Fast' }
  const known = Object.keys(processorClasses).map(family => `${family}ImageProcessor`)
  throw new Error(
    `${source}: image_processor_type is ${JSON.stringify(name.slice(0, 80))}, whose steps Vitral does not have; expected ${listChoices(known)}, also with Fast.`,
  )
}
