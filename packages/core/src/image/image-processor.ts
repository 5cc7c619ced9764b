/** Images to pixel values as a model was trained on them: `preprocessor_config.json`, Hugging Face's ViTImageProcessor. */
import { type Tensor4D, tensor4d } from '@tensorflow/tfjs-core'
import { type HubOptions, resolveModel } from '../files/hub.ts'
import { readJson } from '../files/model-folder.ts'
import { writeFileAside } from '../files/write-aside.ts'
import { checkImage, type Interpolation, type RawImage, resizeImage } from './resize.ts'

/** Hugging Face's fields, in camel case; the defaults are ViTImageProcessor's. */
export interface ImageProcessorConfig {
  /** @default true */
  doResize: boolean
  /** Images are squashed to it, without a crop. @default { height: 224, width: 224 } */
  size: { height: number; width: number }
  /** @default 'bilinear' */
  resample: Interpolation
  /** @default true */
  doRescale: boolean
  /** @default 1 / 255 */
  rescaleFactor: number
  /** @default true */
  doNormalize: boolean
  /** Of each channel, after rescaling. @default [0.5, 0.5, 0.5] */
  imageMean: readonly number[]
  /** @default [0.5, 0.5, 0.5] */
  imageStd: readonly number[]
}

const FILE = 'preprocessor_config.json'

/** PIL's numbers. */
const resampleNumbers: Record<Interpolation, number> = { nearest: 0, bilinear: 2, bicubic: 3 }

const defaults: ImageProcessorConfig = {
  doResize: true,
  size: { height: 224, width: 224 },
  resample: 'bilinear',
  doRescale: true,
  rescaleFactor: 1 / 255,
  doNormalize: true,
  imageMean: [0.5, 0.5, 0.5],
  imageStd: [0.5, 0.5, 0.5],
}

export class ViTImageProcessor {
  readonly config: ImageProcessorConfig

  constructor(config: Partial<ImageProcessorConfig> = {}) {
    this.config = { ...defaults, ...config }
    const { imageMean, imageStd } = this.config
    if (imageMean.length !== imageStd.length || imageStd.some(deviation => !(deviation > 0)))
      throw new Error(
        `imageMean has ${imageMean.length} values and imageStd is [${imageStd}]; expected one of each for every channel, and no deviation of 0.`,
      )
  }

  /** Reads `preprocessor_config.json` of a model folder or a hub id. */
  static async fromPretrained(folderOrHubId: string, options: HubOptions = {}): Promise<ViTImageProcessor> {
    const { join } = await import('node:path')
    const path = join(await resolveModel(folderOrHubId, options), FILE)
    return ViTImageProcessor.fromJson(await readJson(path), path)
  }

  /** @param source what errors call the JSON */
  static fromJson(json: unknown, source: string = FILE): ViTImageProcessor {
    if (typeof json !== 'object' || json === null) throw new Error(`${source} holds no JSON object.`)
    const file = json as Record<string, unknown>
    const given: Partial<ImageProcessorConfig> = {
      ...(file.do_resize !== undefined && { doResize: file.do_resize === true }),
      ...(file.size !== undefined && { size: sizeFromJson(file.size, source) }),
      ...(file.resample !== undefined && { resample: resampleFromJson(file.resample, source) }),
      ...(file.do_rescale !== undefined && { doRescale: file.do_rescale === true }),
      ...(typeof file.rescale_factor === 'number' && { rescaleFactor: file.rescale_factor }),
      ...(file.do_normalize !== undefined && { doNormalize: file.do_normalize === true }),
      ...(Array.isArray(file.image_mean) && { imageMean: file.image_mean as number[] }),
      ...(Array.isArray(file.image_std) && { imageStd: file.image_std as number[] }),
    }
    return new ViTImageProcessor(given)
  }

  /** What `preprocessor_config.json` holds, as transformers writes it. */
  toJson(): Record<string, unknown> {
    const { config } = this
    return {
      do_normalize: config.doNormalize,
      do_rescale: config.doRescale,
      do_resize: config.doResize,
      image_mean: config.imageMean,
      image_processor_type: 'ViTImageProcessor',
      image_std: config.imageStd,
      resample: resampleNumbers[config.resample],
      rescale_factor: config.rescaleFactor,
      size: config.size,
    }
  }

  /** Writes `preprocessor_config.json` into a folder, creating it. */
  async savePretrained(folder: string): Promise<void> {
    const { mkdir } = await import('node:fs/promises')
    const { join } = await import('node:path')
    await mkdir(folder, { recursive: true })
    await writeFileAside(join(folder, FILE), `${JSON.stringify(this.toJson(), null, 2)}\n`)
  }

  /**
   * Resizes, rescales and normalises.
   *
   * @param images one or more; grey ones become RGB, and alpha is dropped, as PIL's convert('RGB') does
   * @returns [B, 3, height, width] float32, the caller's to dispose
   * @throws when there is no image, or when images that are not resized differ in size
   */
  async preprocess(images: RawImage | readonly RawImage[]): Promise<Tensor4D> {
    const list = Array.isArray(images) ? (images as readonly RawImage[]) : [images as RawImage]
    const resized = list.map(image => this.#resize(toRgb(image)))
    const first = resized[0]
    if (!first) throw new Error('preprocess was given no image; expected one or more.')
    const { height, width } = first
    if (resized.some(image => image.height !== height || image.width !== width))
      throw new Error('preprocess was given images of different sizes, and doResize is false; a batch needs one size.')
    const plane = height * width
    const pixels = new Float32Array(resized.length * 3 * plane)
    resized.forEach(({ data }, i) => {
      this.#normalize(data, pixels.subarray(i * 3 * plane, (i + 1) * 3 * plane), plane)
    })
    return tensor4d(pixels, [resized.length, 3, height, width])
  }

  #resize(image: RawImage): RawImage {
    const { doResize, size, resample } = this.config
    return doResize ? resizeImage(image, [size.height, size.width], { interpolation: resample }) : image
  }

  /** [h, w, 3] bytes → [3, h, w] floats. */
  #normalize(bytes: RawImage['data'], out: Float32Array, plane: number): void {
    const { doRescale, rescaleFactor, doNormalize, imageMean, imageStd } = this.config
    const scale = doRescale ? rescaleFactor : 1
    for (let c = 0; c < 3; c++) {
      const mean = doNormalize ? (imageMean[c] as number) : 0
      const deviation = doNormalize ? (imageStd[c] as number) : 1
      for (let i = 0; i < plane; i++) out[c * plane + i] = ((bytes[i * 3 + c] as number) * scale - mean) / deviation
    }
  }
}

function toRgb(image: RawImage): RawImage {
  checkImage(image)
  const { data, width, height, channels } = image
  if (channels === 3) return image
  if (channels < 1 || channels > 4)
    throw new Error(`An image has ${channels} channels; expected 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGBA).`)
  const rgb = new Uint8Array(width * height * 3)
  for (let i = 0; i < width * height; i++)
    for (let c = 0; c < 3; c++) rgb[i * 3 + c] = data[i * channels + (channels === 4 ? c : 0)] as number
  return { data: rgb, width, height, channels: 3 }
}

/** Old files have one number. */
function sizeFromJson(size: unknown, source: string): ImageProcessorConfig['size'] {
  const both =
    typeof size === 'number' ? { height: size, width: size } : (size as Partial<ImageProcessorConfig['size']>)
  const { height, width } = both ?? {}
  if (!Number.isInteger(height) || !Number.isInteger(width))
    throw new Error(`${source}: size is ${JSON.stringify(size)}; expected a number or { height, width }.`)
  return { height: height as number, width: width as number }
}

function resampleFromJson(resample: unknown, source: string): Interpolation {
  const found = Object.entries(resampleNumbers).find(([, number]) => number === resample)
  if (!found)
    throw new Error(
      `${source}: resample is ${JSON.stringify(resample)}; expected 0 (nearest), 2 (bilinear) or 3 (bicubic).`,
    )
  return found[0] as Interpolation
}
