/** Images to pixel values as a model was trained on them: `preprocessor_config.json`, Hugging Face's image processors. */
import type { Tensor4D } from '@tensorflow/tfjs-core'
import { disk } from '#platform'
import { writeFileAtomic } from '../files/atomic-write.ts'
import { wholeNumber } from '../files/fields.ts'
import { withFile } from '../files/folder.ts'
import { type HubOptions, processorFiles, readFolder } from '../files/hub/hub.ts'
import { readJsonIn } from '../files/json-file.ts'
import { filled } from '../tape/own-floats.ts'
import { fitImage, type ImageGeometry } from './fit-image.ts'
import type { ImageSource } from './image-source.ts'
import { classNameOfModel } from './processor-classes.ts'
import {
  byteValues,
  checkProcessorConfig,
  geometryOf,
  type ImageProcessorConfig,
  mostChannels,
  processorDefaults,
} from './processor-config.ts'
import { configFromJson, configToJson, type ProcessorOwner } from './processor-json.ts'
import type { RawImage } from './raw-image.ts'
import { readImage } from './read-image.ts'
import { configFromTimm, isTimms } from './timm-processor.ts'

/** The other of `processorFiles` is of processors of several kinds of input, which have theirs under `image_processor`. */
const [FILE] = processorFiles

/**
 * Prepares images for a model as its preprocessor_config.json says: channels, size, crop, scale and normalization. transformers' ViTImageProcessor.
 */
export class ViTImageProcessor {
  /** How images are prepared, with every default. */
  readonly config: ImageProcessorConfig
  readonly #geometry: ImageGeometry
  /** [channels][256] */
  readonly #values: Float32Array[]

  /** Fills in transformers' defaults. */
  constructor(config: Partial<ImageProcessorConfig> = {}) {
    this.config = { ...processorDefaults, ...config }
    checkProcessorConfig(this.config)
    this.#geometry = geometryOf(this.config)
    this.#values = byteValues(this.config)
  }

  /**
   * Reads `preprocessor_config.json` of a model folder, an address or a hub id, or the image processor in
   * `processor_config.json`; nothing else is downloaded. A file that names no class is of the one that transformers takes
   * for the model's type. A folder of timm has neither, and what timm does to images in its config.json.
   */
  static fromPretrained(source: string | URL, options: HubOptions = {}): Promise<ViTImageProcessor> {
    return readFolder(source, 'processor', options, async folder => {
      const [model] = (await readJsonIn(folder, 'config.json')) ?? []
      for (const file of processorFiles) {
        const read = await readJsonIn(folder, file)
        if (!read) continue
        const [json] = read
        const processor = file === FILE ? json : (json as { image_processor?: unknown } | null)?.image_processor
        return processorFrom(processor, folder.pathOf(file), ownerOf(model))
      }
      if (isTimms(model)) return new ViTImageProcessor(configFromTimm(model, folder.pathOf('config.json')))
      throw new Error(`${folder.lacks(FILE)}; write one with new ViTImageProcessor({ … }).savePretrained(folder).`)
    })
  }

  /** Whether a model folder, an address or a hub id has a processor to read; nothing else is downloaded. */
  static isIn(source: string | URL, options: HubOptions = {}): Promise<boolean> {
    return readFolder(source, 'processor', options, async folder => {
      for (const file of processorFiles) if (await withFile(folder, file, async () => true)) return true
      return isTimms((await readJsonIn(folder, 'config.json'))?.[0])
    })
  }

  /**
   * Missing fields take the defaults of the class that the JSON names, ViTImageProcessor where it names none.
   *
   * @param source what errors call the JSON
   * @throws when a field has the wrong type, or asks for what this processor does not do
   */
  static fromJson(json: unknown, source: string = FILE): ViTImageProcessor {
    return processorFrom(json, source)
  }

  /** What `preprocessor_config.json` holds, as transformers writes it. */
  toJson(): Record<string, unknown> {
    return configToJson(this.config)
  }

  /** Writes `preprocessor_config.json` into a folder, creating it. */
  async savePretrained(folder: string): Promise<void> {
    await disk.makeFolder(folder)
    await writeFileAtomic(disk.join(folder, FILE), `${JSON.stringify(this.toJson(), null, 2)}\n`)
  }

  /**
   * Resizes, rescales and normalises.
   *
   * @param images one or more: pixels with bytes as data; in browsers an address, File, Blob, ImageData, ImageBitmap,
   * canvas, video or VideoFrame; in Node and Bun a path or a file's bytes, where @vitral/datasets is installed. For three
   * means grey ones become RGB and alpha is dropped, for one mean they become luma, as PIL's convert does; for another
   * number they have to have so many channels. Resizing is PIL's everywhere
   * @returns [B, channels, height, width] float32, the caller's to dispose
   * @throws when there is no image, when one cannot be read or its data are no bytes, or when they get different sizes
   */
  async preprocess(images: ImageSource | readonly ImageSource[]): Promise<Tensor4D> {
    const list = Array.isArray(images) ? (images as readonly ImageSource[]) : [images as ImageSource]
    const fitted = await Promise.all(list.map(async image => fitImage(await readImage(image), this.#geometry)))
    const first = fitted[0]
    if (!first) throw new Error('preprocess was given no image; expected one or more.')
    const { height, width, channels } = first
    if (fitted.some(image => image.height !== height || image.width !== width))
      throw new Error(
        `preprocess was given images of different sizes, which the processor leaves different; a batch needs one size: resize to height and width, or crop.`,
      )
    const size = channels * height * width
    return filled([fitted.length, channels, height, width], pixels => {
      for (const [i, { data }] of fitted.entries()) this.#normalize(data, pixels.subarray(i * size, (i + 1) * size))
    }) as Tensor4D
  }

  /** [h, w, channels] bytes → [channels, h, w] floats. */
  #normalize(bytes: RawImage['data'], out: Float32Array): void {
    const channels = this.#values.length
    for (let c = 0, at = 0; c < channels; c++) {
      const values = this.#values[c] as Float32Array
      for (let i = c; i < bytes.length; i += channels) out[at++] = values[bytes[i] as number] as number
    }
  }
}

function processorFrom(json: unknown, source: string, owner?: ProcessorOwner): ViTImageProcessor {
  const config = configFromJson(json, source, owner)
  try {
    return new ViTImageProcessor(config)
  } catch (error) {
    throw new Error(`${source}: ${(error as Error).message}`, { cause: error })
  }
}

/** What config.json says to a processor beside it. */
function ownerOf(model: unknown): ProcessorOwner {
  const { model_type: type, num_channels: channels } = (model ?? {}) as Record<string, unknown>
  return {
    className: classNameOfModel(type),
    numChannels: wholeNumber(1, mostChannels).read(channels) as number | undefined,
  }
}
