/** `preprocessor_config.json`: read strictly, for a field that is misread shows only as a worse accuracy; and written. */
import type { ImageProcessorConfig } from './image-processor.ts'
import type { Interpolation } from './resize.ts'

type Field = keyof ImageProcessorConfig

interface Reading {
  /** The name in the file. */
  key: string
  expected: string
  /** The field's value, or undefined when the file's is no such thing. */
  read: (value: unknown) => unknown
}

/** PIL's numbers. */
const resampleNumbers: Record<Interpolation, number> = { nearest: 0, bilinear: 2, bicubic: 3 }

const boolean = {
  expected: 'true or false',
  read: (value: unknown) => (typeof value === 'boolean' ? value : undefined),
}
const channels = { expected: 'a number, or three for red, green and blue', read: threeNumbers }

const readings: Record<Field, Reading> = {
  doResize: { key: 'do_resize', ...boolean },
  size: { key: 'size', expected: 'a number of pixels or { height, width }', read: toSize },
  resample: { key: 'resample', expected: '0 (nearest), 2 (bilinear) or 3 (bicubic)', read: toInterpolation },
  doRescale: { key: 'do_rescale', ...boolean },
  rescaleFactor: { key: 'rescale_factor', expected: 'a number', read: value => (isNumber(value) ? value : undefined) },
  doNormalize: { key: 'do_normalize', ...boolean },
  imageMean: { key: 'image_mean', ...channels },
  imageStd: { key: 'image_std', ...channels },
}

/**
 * The fields a file has; one that is null counts as absent.
 *
 * @param source what errors call the file
 * @throws naming the file, the field, what it is and what it can be
 */
export function configFromJson(json: unknown, source: string): Partial<ImageProcessorConfig> {
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new Error(`${source} holds no JSON object; expected the configuration of an image processor.`)
  const file = json as Record<string, unknown>
  if (file.do_center_crop === true)
    throw new Error(
      `${source}: do_center_crop is true; a ViTImageProcessor only resizes. Crop before, and set it to false.`,
    )
  const config: Partial<Record<Field, unknown>> = {}
  for (const [field, { key, expected, read }] of Object.entries(readings) as [Field, Reading][]) {
    const value = file[key]
    if (value === undefined || value === null) continue
    config[field] = read(value)
    if (config[field] === undefined)
      throw new Error(`${source}: ${key} is ${JSON.stringify(value)}; expected ${expected}.`)
  }
  return config as Partial<ImageProcessorConfig>
}

/** As transformers writes it. */
export function configToJson(config: ImageProcessorConfig): Record<string, unknown> {
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

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

function threeNumbers(value: unknown): number[] | undefined {
  if (isNumber(value)) return [value, value, value]
  return Array.isArray(value) && value.length === 3 && value.every(isNumber) ? value : undefined
}

/** Old files have one number. */
function toSize(value: unknown): ImageProcessorConfig['size'] | undefined {
  const { height, width } = isNumber(value) ? { height: value, width: value } : (value as Record<string, unknown>)
  const valid = [height, width].every(length => Number.isInteger(length) && (length as number) > 0)
  return valid ? { height: height as number, width: width as number } : undefined
}

function toInterpolation(value: unknown): Interpolation | undefined {
  return (Object.keys(resampleNumbers) as Interpolation[]).find(name => resampleNumbers[name] === value)
}
