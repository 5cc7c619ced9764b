/** The fields of `preprocessor_config.json`: those that are obeyed, those that change no pixel, and those that are refused. */
import { type FieldTable, finiteNumber, trueOrFalse, wholeNumber } from '../files/fields.ts'
import { type ExactSize, type ImageProcessorConfig, mostChannels, mostPixelsASide } from './processor-config.ts'
import { interpolations } from './resize.ts'

const side = wholeNumber(1, mostPixelsASide)
const text = { expected: 'a name', read: (value: unknown) => (typeof value === 'string' ? value : undefined) }
const channels = { expected: 'a finite number, or a list of one for each channel', read: toChannelNumbers }

/** In the file a size may be one number, whose meaning the class decides. */
export type Length = number | ExactSize | { shortestEdge: number }

export const processorFields: FieldTable<keyof ProcessorValues> = {
  what: 'the configuration of an image processor',
  obeyed: {
    type: { key: 'image_processor_type', ...text },
    formerType: { key: 'feature_extractor_type', ...text },
    doResize: { key: 'do_resize', ...trueOrFalse },
    size: {
      key: 'size',
      expected: `a number of pixels to ${mostPixelsASide}, [height, width], { height, width } or { shortest_edge }`,
      read: toLength,
    },
    defaultToSquare: { key: 'default_to_square', ...trueOrFalse },
    resample: {
      key: 'resample',
      expected: interpolations.map((name, i) => `${i} (${name})`).join(', '),
      read: value => (typeof value === 'number' ? interpolations[value] : undefined),
    },
    doCenterCrop: { key: 'do_center_crop', ...trueOrFalse },
    cropSize: {
      key: 'crop_size',
      expected: `a number of pixels to ${mostPixelsASide}, [height, width] or { height, width }`,
      read: toCropSize,
    },
    cropShare: { key: 'crop_pct', ...finiteNumber(0.01, 1) },
    doRescale: { key: 'do_rescale', ...trueOrFalse },
    rescaleFactor: { key: 'rescale_factor', ...finiteNumber() },
    doNormalize: { key: 'do_normalize', ...trueOrFalse },
    imageMean: { key: 'image_mean', ...channels },
    imageStd: { key: 'image_std', ...channels },
    doConvertRgb: { key: 'do_convert_rgb', ...trueOrFalse },
  },
  // Names, the form of what is returned, how batches are computed, and what is done to segmentation maps alone.
  harmless: [
    ...['processor_class', '_processor_class', '_valid_processor_keys', 'transformers_version', '_name_or_path'],
    ...['data_format', 'input_data_format', 'return_tensors', 'device', 'disable_grouping', 'model_input_names'],
    ...['do_reduce_labels', 'reduce_labels', 'pad_size', 'size_divisor'],
  ],
  refused: {
    do_flip_channel_order: [false],
    do_grayscale: [false],
    do_pad: [false],
    do_thumbnail: [false],
    do_align_long_axis: [false],
    do_crop_margin: [false],
    do_random_crop: [false],
    do_image_splitting: [false],
    rescale_offset: [false],
    offset: [false],
    include_top: [false],
    auto_map: [],
  },
  unknown: 'refused',
}

/** What is read of a file, by our names. */
export type ProcessorValues = Partial<
  Omit<ImageProcessorConfig, 'size' | 'cropRounding' | 'imageMean' | 'imageStd'>
> & {
  type?: string
  formerType?: string
  size?: Length
  defaultToSquare?: boolean
  cropShare?: number
  doConvertRgb?: boolean
  imageMean?: number | number[]
  imageStd?: number | number[]
}

/** Whether there is anything to read; what is no object is readFields' to refuse. */
export function describesProcessor(json: unknown): boolean {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return true
  const file = json as Record<string, unknown>
  return Object.values(processorFields.obeyed).some(({ key }) => Object.hasOwn(file, key) && file[key] !== null)
}

function toChannelNumbers(value: unknown): number | number[] | undefined {
  if (Number.isFinite(value)) return value as number
  const isList = Array.isArray(value) && value.length >= 1 && value.length <= mostChannels
  return isList && value.every(Number.isFinite) ? value : undefined
}

function toLength(value: unknown): Length | undefined {
  const shortestEdge = isObjectOf(value, ['shortest_edge']) ? side.read(value.shortest_edge) : undefined
  return shortestEdge === undefined
    ? ((side.read(value) as number | undefined) ?? toExactSize(value))
    : { shortestEdge: shortestEdge as number }
}

function toCropSize(value: unknown): ExactSize | undefined {
  const length = side.read(value) as number | undefined
  return length === undefined ? toExactSize(value) : { height: length, width: length }
}

function toExactSize(value: unknown): ExactSize | undefined {
  const [height, width] =
    Array.isArray(value) && value.length === 2
      ? value
      : isObjectOf(value, ['height', 'width'])
        ? [value.height, value.width]
        : []
  return side.read(height) && side.read(width) ? ({ height, width } as ExactSize) : undefined
}

/** Whether it has these fields, and no other that says something. */
function isObjectOf(value: unknown, fields: readonly string[]): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const said = Object.entries(value).filter(([, content]) => content !== null && content !== undefined)
  return said.length === fields.length && fields.every(field => Object.hasOwn(value, field))
}
