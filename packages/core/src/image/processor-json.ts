/** `preprocessor_config.json`: read strictly, for a field that is misread shows only as a worse accuracy; and written. */
import { describeValue, readFields } from '../files/fields.ts'
import { centerStart } from './crop.ts'
import { type NamedClass, processorClass } from './processor-classes.ts'
import { type ImageProcessorConfig, processorDefaults } from './processor-config.ts'
import { describesProcessor, type Length, type ProcessorValues, processorFields } from './processor-fields.ts'
import { interpolations } from './resize.ts'

/** The model that a processor is for, where there is one. */
export interface ProcessorOwner {
  /** The class of a file that names none. @default 'ViTImageProcessor' */
  className?: string
  /** @default as many as image_mean has */
  numChannels?: number
}

/**
 * What a file says; one that is null counts as absent, and what is absent is the class's default.
 *
 * @param source what errors call the file
 * @throws naming the file, the field, what it is and what it can be
 */
export function configFromJson(
  json: unknown,
  source: string,
  { className = 'ViTImageProcessor', numChannels }: ProcessorOwner = {},
): ImageProcessorConfig {
  if (!describesProcessor(json))
    throw new Error(`${source} describes no image processor: it has none of size, image_mean, do_resize and their kin.`)
  const read = readFields(json, processorFields, source).values as ProcessorValues
  const { type, formerType, size, defaultToSquare, cropShare, doConvertRgb, ...fields } = read
  const name = type ?? formerType ?? className
  const named = processorClass(name, source)
  const config: ImageProcessorConfig = {
    ...processorDefaults,
    ...named.defaults,
    ...fields,
    ...channelsOf(read, named, numChannels, source),
  }
  config.cropRounding = named.isFast ? 'even' : 'floor'
  if (size !== undefined) config.size = sizeOf(size, defaultToSquare ?? !named.numberIsShortestEdge)
  if (doConvertRgb && config.imageMean.length !== 3)
    throw new Error(
      `${source}: do_convert_rgb is true, but image_mean is for ${config.imageMean.length} channels; expected 3, or false.`,
    )
  if (named.cropsByShare) {
    if (fields.resample === undefined)
      throw new Error(
        `${source}: resample is missing, and versions of transformers differ in the default of ConvNext's; expected 2 (bilinear) or 3 (bicubic).`,
      )
    return croppedByShare(config, cropShare, source)
  }
  if (cropShare !== undefined)
    throw new Error(
      `${source}: crop_pct is ${cropShare}, which ${name} does not have; expected do_center_crop and crop_size.`,
    )
  checkCrop(config, named, source)
  return config
}

/** One number serves all channels, also where it stands several times; different ones say how many channels there are. */
function channelsOf(
  values: ProcessorValues,
  { defaults }: NamedClass,
  numChannels: number | undefined,
  source: string,
): Pick<ImageProcessorConfig, 'imageMean' | 'imageStd'> {
  const { imageMean, imageStd } = { ...processorDefaults, ...defaults, ...values }
  const lists = [values.imageMean, values.imageStd].filter(Array.isArray) as number[][]
  const count = numChannels ?? lists[0]?.length ?? 3
  const list = (key: string, value: number | readonly number[]): readonly number[] => {
    if (typeof value === 'number') return Array(count).fill(value)
    if (value.length === count || numChannels === undefined) return value
    if (value.every(number => number === value[0])) return Array(count).fill(value[0])
    throw new Error(
      `${source}: ${key} is for ${value.length} channels, but the model of config.json has num_channels ${count}; expected ${count} ${count === 1 ? 'number' : 'numbers'}.`,
    )
  }
  return { imageMean: list('image_mean', imageMean), imageStd: list('image_std', imageStd) }
}

function sizeOf(size: Length, numberIsSquare: boolean): ImageProcessorConfig['size'] {
  if (typeof size !== 'number') return size
  return numberIsSquare ? { height: size, width: size } : { shortestEdge: size }
}

/** ConvNext's way, said as every other class says it. */
function croppedByShare(config: ImageProcessorConfig, share = 224 / 256, source: string): ImageProcessorConfig {
  const { size, doResize, doCenterCrop } = config
  if (doCenterCrop)
    throw new Error(`${source}: do_center_crop is true; a ConvNextImageProcessor crops by crop_pct; expected false.`)
  if (!doResize) return config
  if (!('shortestEdge' in size))
    throw new Error(
      `${source}: size is ${describeValue(size)}; expected { shortest_edge } of a ConvNextImageProcessor.`,
    )
  const length = size.shortestEdge
  const square = { height: length, width: length }
  if (length >= 384) return { ...config, size: square }
  return { ...config, size: { shortestEdge: Math.trunc(length / share) }, doCenterCrop: true, cropSize: square }
}

/** Versions of transformers differ in whether a class that had no crop passes do_center_crop over. */
function checkCrop(
  { doResize, size, doCenterCrop, cropSize }: ImageProcessorConfig,
  named: NamedClass,
  source: string,
) {
  if (!doCenterCrop || named.isFast || !named.slowCropsNothing) return
  const changesNothing =
    doResize && 'height' in size && size.height === cropSize.height && size.width === cropSize.width
  if (!changesNothing)
    throw new Error(
      `${source}: do_center_crop is true, which the class passes over in transformers 4 and obeys in 5; set it to false, or image_processor_type to "DeiTImageProcessor", which crops.`,
    )
}

/**
 * The JSON that transformers writes, with the class that does these steps in every version: by PIL ViT's, DeiT's with a crop,
 * CLIP's where proportions are kept; Fast where the crop begins as torchvision's does and it shows.
 */
export function configToJson(config: ImageProcessorConfig): Record<string, unknown> {
  const { doResize, size, doCenterCrop, cropSize, imageMean } = config
  const family = 'shortestEdge' in size ? 'CLIP' : doCenterCrop ? 'DeiT' : 'ViT'
  return {
    ...(family !== 'ViT' && { crop_size: cropSize, do_center_crop: doCenterCrop }),
    // Only CLIP's converts by itself, which a model of another number of channels cannot want.
    ...(family === 'CLIP' && { do_convert_rgb: imageMean.length === 3 }),
    do_normalize: config.doNormalize,
    do_rescale: config.doRescale,
    do_resize: doResize,
    image_mean: imageMean,
    image_processor_type: `${family}ImageProcessor${roundingShows(config) ? 'Fast' : ''}`,
    image_std: config.imageStd,
    resample: interpolations.indexOf(config.resample),
    rescale_factor: config.rescaleFactor,
    size: 'shortestEdge' in size ? { shortest_edge: size.shortestEdge } : size,
  }
}

function roundingShows({ doResize, size, doCenterCrop, cropSize, cropRounding }: ImageProcessorConfig): boolean {
  if (!doCenterCrop || cropRounding !== 'even') return false
  if (!doResize || 'shortestEdge' in size) return true // the longer side is each image's own
  return (['height', 'width'] as const).some(
    side => centerStart(size[side], cropSize[side], 'even') !== centerStart(size[side], cropSize[side], 'floor'),
  )
}
