/** From names in a recipe or on the command line to batches: data sets, transform chains, loaders. */
import type { ViTImageProcessor } from '@vitral/core'
import { createLoader, type Dataset, type LoaderPlan, transforms } from '@vitral/datasets'
import { openDataset } from './open-dataset.ts'
import { transformsOf } from './processor.ts'
import type { Recipe } from './recipe.ts'
import { type OnSkipped, skippedImages } from './skipped-images.ts'
import type { ImageBatch } from './train-step.ts'

/** What the loop needs to know of its data. */
export interface TrainingData {
  /** Names of the classes, in the order of the labels. */
  labels: readonly string[]
  trainImages: number
  evaluationImages: number
  stepsPerEpoch: number
  /** All that decides the batches that are trained on; saved with a run, since it is to go on with no others. */
  plan: LoaderPlan
  /**
   * The batches of an epoch, 0 for the first, from one of them on; each holds until the next is asked for.
   *
   * @throws at the first, when a plan is given that is not this data's
   */
  train(from: { epoch: number; firstBatch: number; plan?: LoaderPlan }): AsyncIterable<ImageBatch>
  evaluation(): AsyncIterable<ImageBatch>
  /** Ends the threads that load. */
  close(): Promise<void>
}

/** @throws when there is no chain of that name. */
export function transformChain(name: string): transforms.Chain {
  const chain = Object.hasOwn(transforms.chains, name) ? transforms.chains[name] : undefined
  if (!chain)
    throw new Error(`There are no transforms '${name}'; expected one of ${Object.keys(transforms.chains).join(', ')}.`)
  return chain
}

/** A recipe's chain, for the image size that it gives its model, if it gives one. */
export function recipeChain({ transforms: name, model }: Recipe): transforms.Chain {
  const imageSize = model.config?.imageSize
  const size = typeof imageSize === 'number' ? ([imageSize, imageSize] as const) : imageSize
  const chain = transformChain(name)
  return options => chain({ ...options, ...(size && { size }) })
}

/** For decoded images, of training and of evaluation: about a thousand photos of 500×375 each are decoded once. */
const cacheBytes = 2 ** 29

export interface TrainingDataOptions {
  /** Threads that load; 0 loads between the steps, which is fastest for small images. See `createLoader`. */
  workers: number
  /** Told of each image that is left out since it cannot be decoded; without it the first one ends the run. */
  onSkipped?: OnSkipped
}

/** Opens a recipe's data: what it is trained on, and the validation images, or the test images of a set without them. */
export async function openTrainingData(
  recipe: Recipe,
  path: string,
  { workers, onSkipped }: TrainingDataOptions,
): Promise<TrainingData> {
  const { dataset, batchSize, evalBatchSize, seed } = recipe
  const chain = recipeChain(recipe)
  const onBroken = onSkipped ? 'skip' : 'raise'
  const train = await openDataset(dataset, path, 'train', { onBroken })
  const held = await openDataset(dataset, path, 'validation', { onBroken })
  const common = { workers, cacheBytes, reuseMemory: true }
  const training = createLoader(train, {
    ...common,
    transforms: chain({ train: true }),
    batchSize,
    shuffle: true,
    seed,
  })
  const evaluation = createLoader(held, { ...common, transforms: chain({ train: false }), batchSize: evalBatchSize })
  const passTraining = skippedImages(train.length, reason => onSkipped?.(reason))
  const passEvaluation = skippedImages(held.length, reason => onSkipped?.(reason))
  return {
    labels: train.classes,
    trainImages: train.length,
    evaluationImages: held.length,
    stepsPerEpoch: training.batchesPerEpoch,
    plan: training.plan,
    train: from => passTraining(training.batches(from)),
    evaluation: () => passEvaluation(evaluation.batches()),
    close: async () => {
      await Promise.all([training.close(), evaluation.close()])
    },
  }
}

/** The images of a data set, prepared as a model's processor does. */
export function evaluationBatches(
  dataset: Dataset,
  processor: ViTImageProcessor,
  batchSize: number,
  onSkipped: OnSkipped = () => {},
): AsyncIterable<ImageBatch> {
  const loader = createLoader(dataset, { transforms: transformsOf(processor), batchSize, reuseMemory: true })
  return skippedImages(dataset.length, onSkipped)(loader.batches())
}
