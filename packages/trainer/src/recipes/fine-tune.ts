/** The recipe for fine-tuning a model on images of one's own: prepared as the model's, with defaults that mostly work. */
import { type HubOptions, type Size, type ViTConfig, ViTImageProcessor } from '@vitral/core'
import { readModelConfig } from '@vitral/core/files'
import type { Interpolation } from '@vitral/core/image'
import { type Dataset, type Transform, transforms } from '@vitral/datasets'
import { openDataset } from '../data/named-datasets.ts'
import { transformsOf } from '../data/processor.ts'
import type { DataSource } from '../data/validation-split.ts'
import { defineRecipe } from '../recipe/recipe.ts'
import type { FineTune, Recipe } from '../recipe/types.ts'

export type TunedPart = 'all' | 'head' | 'lora'
export type Augmentation = 'none' | 'light' | 'strong'

/** Options of fineTuneRecipe. */
export interface FineTuneRecipeOptions {
  /** A model folder, an address or a hub id. */
  model: string
  /** Name of the data set's kind, where it lies somewhere. @default 'folder' */
  dataset?: string
  /** Where the data set lies: its folder, or the file of a manifest; or data sets of one's own. */
  data: DataSource
  /** What trains: all of the model, the classifier alone, or low-rank adapters and the classifier. @default 'all' */
  tune?: TunedPart
  /** Augmentation of the training images. @default 'light' */
  augment?: Augmentation
  /** Side of the square images, in place of the model's own size. */
  size?: number
  /** How the model is downloaded. */
  hub?: HubOptions
}

/**
 * What trains, and the learning rate for a model of hidden size 768. All of it: transformers' default. The head alone, or
 * adapters (rank and targets of PEFT's guide for image classification): they begin from nothing, and bear more.
 */
const parts: Record<TunedPart, { fineTune: FineTune; lr: number }> = {
  all: { fineTune: 'all', lr: 5e-5 },
  head: { fineTune: 'head', lr: 1e-3 },
  lora: { fineTune: { lora: { rank: 16, alpha: 16, targets: ['query', 'value'] } }, lr: 1e-3 },
}

type Sides = readonly [height: number, width: number]
type ResizeOptions = { interpolation?: Interpolation }

/** What takes the place of the resize and crop of the evaluation. Half of an image mostly still shows what it is. */
const augmentations: Record<Augmentation, undefined | ((size: Sides, options: ResizeOptions) => Transform[])> = {
  none: undefined,
  light: (size: Sides, options: ResizeOptions) => [
    transforms.randomResizedCrop(size, { ...options, scale: [0.5, 1] }),
    transforms.randomHorizontalFlip(),
  ],
  strong: (size: Sides, options: ResizeOptions) => [
    transforms.randomResizedCrop(size, { ...options, scale: [0.25, 1] }),
    transforms.randomHorizontalFlip(),
    transforms.trivialAugmentWide(),
  ],
}

/** What fineTuneRecipe does unless it is told otherwise. */
export const fineTuneDefaults = { tune: 'all', augment: 'light' } as const

export const tunedParts: readonly TunedPart[] = Object.keys(parts) as TunedPart[]
export const augmentationNames: readonly Augmentation[] = Object.keys(augmentations) as Augmentation[]

/**
 * Reads the model's processor and configuration (downloading a hub's model) and the data set's classes.
 *
 * @throws when the model cannot be had or has no processor, or the data set is not there
 * @example
 * const recipe = await fineTuneRecipe({ model: 'google/vit-base-patch16-224', dataset: 'folder', data: 'photos' })
 * const { trainer } = await startRun({ recipe, data: 'photos', out: 'runs/photos' })
 */
export async function fineTuneRecipe(options: FineTuneRecipeOptions): Promise<Recipe> {
  const {
    model,
    dataset = 'folder',
    data,
    tune = fineTuneDefaults.tune,
    augment = fineTuneDefaults.augment,
    size,
    hub,
  } = options
  const { multiLabel } = typeof data === 'string' ? await openDataset(dataset, data, 'train') : trainingPart(data)
  const config = await readModelConfig(model, hub)
  const processor = await ViTImageProcessor.fromPretrained(model, hub)
  const evaluation = size === undefined ? transformsOf(processor) : resized(transformsOf(processor), size)
  const sides = outputSize(evaluation) ?? sidesOf(config.imageSize)
  const { fineTune, lr } = parts[tune]
  return defineRecipe({
    model: { pretrained: model, ...(!isSame(sides, config) && { config: { imageSize: [...sides] } }) },
    fineTune,
    dataset,
    transforms: { train: augmented(evaluation, sides, augment), evaluation },
    batchSize: 16,
    evalBatchSize: 32,
    epochs: 10,
    optimizer: { name: 'adamw', lr: Number((lr * widthFactor(config)).toPrecision(2)), weightDecay: 0.01 },
    schedule: { name: 'cosine', warmupEpochs: 0.5 },
    clipGradNorm: 1,
    ...(multiLabel && { loss: { name: 'binary-cross-entropy' } }),
  })
}

const trainingPart = (data: Exclude<DataSource, string>): Dataset => ('train' in data ? data.train : data)

/** Narrower models have larger weights, and bear proportionally larger steps; to four times those of ViT-B. */
const widthFactor = ({ hiddenSize }: ViTConfig): number => Math.min(4, 768 / hiddenSize)

/** Training sees other parts of the images; all else is as in the evaluation. */
function augmented(evaluation: readonly Transform[], size: Sides, augment: Augmentation): Transform[] {
  const make = augmentations[augment]
  if (!make) return [...evaluation]
  const [, options = {}] = (evaluation.find(({ name }) => name === 'resize')?.args ?? []) as [unknown, ResizeOptions?]
  const rest = evaluation.filter(({ name }) => name !== 'resize' && name !== 'centerCrop')
  const before = rest.filter(({ name }) => name === 'grayscale')
  return [...before, ...make(size, options), ...rest.filter(transform => !before.includes(transform))]
}

/** The chain for another size: a crop keeps its part of the image. */
function resized(chain: readonly Transform[], size: number): Transform[] {
  const own = outputSize(chain)
  if (!own) return [transforms.resize([size, size]), ...chain]
  const scaled = (side: number, i: number): number => Math.round((side * size) / (own[i] as number))
  return chain.map(transform => {
    const { name, args } = transform
    if (name === 'centerCrop') return transforms.createTransform({ name, args: [[size, size], ...args.slice(1)] })
    if (name !== 'resize') return transform
    const [to, ...rest] = args as [number | Sides, ...unknown[]]
    const now = typeof to === 'number' ? scaled(to, 0) : to.map(scaled)
    return transforms.createTransform({ name, args: [now, ...rest] })
  })
}

/** Height and width of what a chain makes; nothing when it leaves images as large as they are. */
function outputSize(chain: readonly Transform[]): Sides | undefined {
  const last = chain.findLast(({ name }) => name === 'centerCrop' || name === 'resize')
  const size = last?.args[0] as number | Sides | undefined
  return typeof size === 'number' ? [size, size] : size
}

const sidesOf = (size: Size): Sides => (typeof size === 'number' ? [size, size] : [size[0], size[1]])

const isSame = (sides: Sides, { imageSize }: Pick<ViTConfig, 'imageSize'>): boolean =>
  sidesOf(imageSize).join() === sides.join()

/** How the images are prepared, in words. */
export const describeSize = (recipe: Recipe): string => {
  const { transforms: described } = recipe
  if (typeof described === 'string') return described
  const chain = described.evaluation.map(transforms.createTransform)
  return outputSize(chain)?.join('×') ?? 'as large as they are'
}
