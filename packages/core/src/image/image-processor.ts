/** Images to pixel values as a model was trained on them: `preprocessor_config.json`, Hugging Face's ViTImageProcessor. */
import type { Tensor4D } from '@tensorflow/tfjs-core'
import { type HubOptions, resolveModel } from '../files/hub.ts'
import { readJson } from '../files/json-file.ts'
import { writeFileAside } from '../files/write-aside.ts'
import { filled } from '../tape/own-floats.ts'
import { configFromJson, configToJson } from './processor-json.ts'
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
  /** [3][256] */
  readonly #values: Float32Array[]

  constructor(config: Partial<ImageProcessorConfig> = {}) {
    this.config = { ...defaults, ...config }
    const { imageMean, imageStd } = this.config
    if (imageMean.length !== 3 || imageStd.length !== 3 || imageStd.some(deviation => !(deviation > 0)))
      throw new Error(
        `imageMean is [${imageMean}] and imageStd [${imageStd}]; expected three numbers each, of red, green and blue, and no deviation of 0.`,
      )
    this.#values = tableOf(this.config)
  }

  /** Reads `preprocessor_config.json` of a model folder or a hub id. */
  static async fromPretrained(folderOrHubId: string, options: HubOptions = {}): Promise<ViTImageProcessor> {
    const { existsSync } = await import('node:fs')
    const { join } = await import('node:path')
    const folder = await resolveModel(folderOrHubId, options)
    const path = join(folder, FILE)
    if (!existsSync(path))
      throw new Error(`${folder} has no ${FILE}; write one with new ViTImageProcessor({ … }).savePretrained(folder).`)
    return ViTImageProcessor.fromJson(await readJson(path), path)
  }

  /**
   * Missing fields take the defaults.
   *
   * @param source what errors call the JSON
   * @throws when a field has the wrong type, or asks for what this processor does not do
   */
  static fromJson(json: unknown, source: string = FILE): ViTImageProcessor {
    return new ViTImageProcessor(configFromJson(json, source))
  }

  /** What `preprocessor_config.json` holds, as transformers writes it. */
  toJson(): Record<string, unknown> {
    return configToJson(this.config)
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
    return filled([resized.length, 3, height, width], pixels => {
      for (const [i, { data }] of resized.entries())
        this.#normalize(data, pixels.subarray(i * 3 * plane, (i + 1) * 3 * plane), plane)
    }) as Tensor4D
  }

  #resize(image: RawImage): RawImage {
    const { doResize, size, resample } = this.config
    return doResize ? resizeImage(image, [size.height, size.width], { interpolation: resample }) : image
  }

  /** [h, w, 3] bytes → [3, h, w] floats. */
  #normalize(bytes: RawImage['data'], out: Float32Array, plane: number): void {
    for (let c = 0; c < 3; c++) {
      const values = this.#values[c] as Float32Array
      for (let i = 0, at = c * plane; i < plane; i++, at++) out[at] = values[bytes[i * 3 + c] as number] as number
    }
  }
}

/** Of each channel, what each byte becomes: 256 divisions in the place of one for each of an image's values. */
function tableOf({ doRescale, rescaleFactor, doNormalize, imageMean, imageStd }: ImageProcessorConfig): Float32Array[] {
  const scale = doRescale ? rescaleFactor : 1
  return [0, 1, 2].map(c => {
    const mean = doNormalize ? (imageMean[c] as number) : 0
    const deviation = doNormalize ? (imageStd[c] as number) : 1
    return Float32Array.from({ length: 256 }, (_, byte) => (byte * scale - mean) / deviation)
  })
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
