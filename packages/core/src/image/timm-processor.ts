/** What timm does to the images of a model: the fields of its config.json, as an image processor's. */
import { describeValue, type FieldTable, finiteNumber, oneOf, readFields } from '../files/fields.ts'
import { type ImageProcessorConfig, processorDefaults } from './processor-config.ts'

type Json = Record<string, unknown>

/** Whether a config.json is of timm. */
export const isTimms = (json: unknown): json is Json =>
  typeof json === 'object' && json !== null && 'architecture' in json && !('model_type' in json)

const numbers = {
  expected: 'a list of numbers, one for each channel',
  read: (value: unknown) => (Array.isArray(value) && value.every(Number.isFinite) ? value : undefined),
}

const table: FieldTable<'inputSize' | 'interpolation' | 'cropShare' | 'cropMode' | 'mean' | 'std'> = {
  what: 'the pretrained_cfg of a model of timm',
  obeyed: {
    inputSize: {
      key: 'input_size',
      expected: '[channels, height, width]',
      read: value => (Array.isArray(value) && value.length === 3 ? numbers.read(value) : undefined),
    },
    interpolation: { key: 'interpolation', ...oneOf('nearest', 'bilinear', 'bicubic', 'lanczos', 'box', 'hamming') },
    cropShare: { key: 'crop_pct', ...finiteNumber(0.01, 1) },
    cropMode: { key: 'crop_mode', ...oneOf('center', 'squash') },
    mean: { key: 'mean', ...numbers },
    std: { key: 'std', ...numbers },
  },
  harmless: [],
  refused: {},
  unknown: 'returned',
}

/**
 * The steps of timm's evaluation: to the size divided by crop_pct, keeping the proportions or not, and of that the middle.
 * Source: timm's `resolve_data_config` and `transforms_imagenet_eval`, with their defaults.
 *
 * @param source what errors call the file
 * @throws naming the field, what it is and what it can be
 */
export function configFromTimm({ pretrained_cfg: trained }: Json, source: string): ImageProcessorConfig {
  const { values } = readFields(trained ?? {}, table, source)
  const {
    inputSize = [3, 224, 224],
    interpolation = 'bicubic',
    cropShare = 0.875,
    cropMode = 'center',
    mean = [0.485, 0.456, 0.406],
    std = [0.229, 0.224, 0.225],
  } = values as Partial<Record<'inputSize' | 'mean' | 'std', number[]>> & {
    interpolation?: ImageProcessorConfig['resample']
    cropShare?: number
    cropMode?: string
  }
  const [, height = 0, width = 0] = inputSize
  if (cropMode === 'center' && height !== width)
    throw new Error(
      `${source}: input_size is ${describeValue(inputSize)} with crop_mode "center"; expected a square, or "squash".`,
    )
  const scaled = (length: number): number => Math.floor(length / cropShare)
  return {
    ...processorDefaults,
    size: cropMode === 'center' ? { shortestEdge: scaled(height) } : { height: scaled(height), width: scaled(width) },
    resample: interpolation,
    doCenterCrop: true,
    cropSize: { height, width },
    cropRounding: 'even', // torchvision's CenterCrop
    imageMean: mean,
    imageStd: std,
  }
}
