/** What an image processor does, in Vitral's own words: fields, their defaults and limits. */
import type { CropRounding } from './crop.ts'
import type { ImageGeometry } from './fit-image.ts'
import { type Interpolation, interpolations } from './resize.ts'

/** Height and width, in pixels. */
export interface ExactSize {
  /** Pixels. */
  height: number
  /** Pixels. */
  width: number
}

/** Hugging Face's fields, in camel case; the defaults are ViTImageProcessor's. */
export interface ImageProcessorConfig {
  /** Whether images are resized. @default true */
  doResize: boolean
  /**
   * Images are squashed to height and width, or their shorter side is given the length and the other keeps the
   * proportions. @default { height: 224, width: 224 }
   */
  size: ExactSize | { shortestEdge: number }
  /** Filter of the resizing, as in PIL. @default 'bilinear' */
  resample: Interpolation
  /** Whether the middle alone is taken of what was resized. @default false */
  doCenterCrop: boolean
  /** Where an image is smaller, it is padded with black. @default { height: 224, width: 224 } */
  cropSize: ExactSize
  /** Where a crop begins that leaves an odd number of pixels. @default 'floor' */
  cropRounding: CropRounding
  /** Whether bytes are multiplied by rescaleFactor. @default true */
  doRescale: boolean
  /** Factor of the bytes. @default 1 / 255 */
  rescaleFactor: number
  /** Whether values are normalized by imageMean and imageStd. @default true */
  doNormalize: boolean
  /**
   * For each channel, after rescaling. Their number is that of the channels: images become luma for 1 and RGB for 3, and
   * have to have any other number themselves. @default [0.5, 0.5, 0.5]
   */
  imageMean: readonly number[]
  /** Standard deviation of each channel. @default [0.5, 0.5, 0.5] */
  imageStd: readonly number[]
}

export const processorDefaults: ImageProcessorConfig = {
  doResize: true,
  size: { height: 224, width: 224 },
  resample: 'bilinear',
  doCenterCrop: false,
  cropSize: { height: 224, width: 224 },
  cropRounding: 'floor',
  doRescale: true,
  rescaleFactor: 1 / 255,
  doNormalize: true,
  imageMean: [0.5, 0.5, 0.5],
  imageStd: [0.5, 0.5, 0.5],
}

/** Side of an image to be made: beyond it a file is nonsense, or an attack. */
export const mostPixelsASide = 16384
export const mostChannels = 1024

/** @throws naming the field that is wrong, with what it can be */
export function checkProcessorConfig({ imageMean, imageStd, size, cropSize, resample }: ImageProcessorConfig): void {
  const channels = imageMean.length
  const isRight =
    channels >= 1 &&
    channels <= mostChannels &&
    imageStd.length === channels &&
    imageMean.every(Number.isFinite) &&
    imageStd.every(deviation => deviation > 0 && deviation < Infinity)
  if (!isRight)
    throw new Error(
      `imageMean is [${imageMean.slice(0, 8)}] and imageStd [${imageStd.slice(0, 8)}]; expected one finite number each for every channel, such as three for red, green and blue, and no deviation of 0.`,
    )
  for (const [field, lengths] of Object.entries({ size: Object.values(size), cropSize: Object.values(cropSize) }))
    if (!lengths.every(length => Number.isInteger(length) && length >= 1 && length <= mostPixelsASide))
      throw new Error(`${field} is [${lengths}]; expected whole numbers of pixels from 1 to ${mostPixelsASide}.`)
  if (!interpolations.includes(resample))
    throw new Error(`resample is '${resample}'; expected one of ${interpolations.join(', ')}.`)
}

/** The part of it that is done to bytes. */
export function geometryOf(config: ImageProcessorConfig): ImageGeometry {
  const { doResize, size, resample, doCenterCrop, cropSize, cropRounding, imageMean } = config
  const to = 'shortestEdge' in size ? size.shortestEdge : ([size.height, size.width] as const)
  return {
    channels: imageMean.length,
    ...(doResize && { resize: { size: to, interpolation: resample } }),
    ...(doCenterCrop && { crop: { size: [cropSize.height, cropSize.width], rounding: cropRounding } }),
  }
}

/** For each channel what each byte becomes: 256 divisions in the place of one for each of an image's values. */
export function byteValues(config: ImageProcessorConfig): Float32Array[] {
  const { doRescale, rescaleFactor, doNormalize, imageMean, imageStd } = config
  const scale = doRescale ? rescaleFactor : 1
  return imageMean.map((_, c) => {
    const mean = doNormalize ? (imageMean[c] as number) : 0
    const deviation = doNormalize ? (imageStd[c] as number) : 1
    const values = Float32Array.from({ length: 256 }, (_, byte) => (byte * scale - mean) / deviation)
    if (!values.every(Number.isFinite))
      throw new Error(
        `rescaleFactor ${scale}, imageMean ${mean} and imageStd ${deviation} make of a byte what is no finite number; expected such as 1/255, 0.5 and 0.5.`,
      )
    return values
  })
}
