/** From names in a recipe or on the command line to batches: data sets, transform chains, loaders. */

import type { ViTImageProcessor } from '@vitral/core'
import { type Batch, createLoader, type Dataset, type Loader, type LoaderPlan, type Transform } from '@vitral/datasets'
import { availableParallelism, cacheBytes } from '#platform'
import { everyBatchOf } from '../ddp/batch-share.ts'
import { alone, type Collectives } from '../ddp/collectives.ts'
import { createSampler } from '../recipe/sampler.ts'
import { type MadeTransforms, recipeTransforms } from '../recipe/transforms.ts'
import type { Recipe } from '../recipe/types.ts'
import type { ImageBatch } from '../step/batch.ts'
import { checkClasses, describeUnderstood } from './data-summary.ts'
import { largerBy, transformsOf } from './processor.ts'
import { type OnSkipped, skippedImages } from './skipped-images.ts'
import { type DataSource, openParts } from './validation-split.ts'

/** What the loop needs to know of its data. */
export interface TrainingData {
  /** Names of the classes, in the order of the labels. */
  labels: readonly string[]
  /** Whether an image may have several of them, or none. */
  multiLabel: boolean
  /** Images of an epoch. */
  trainImages: number
  /** Images of an evaluation. */
  evaluationImages: number
  /** Steps of an epoch. */
  stepsPerEpoch: number
  /** All that decides the batches that are trained on; saved with a run, since it is to go on with no others. */
  plan: LoaderPlan
  /**
   * The batches of an epoch, 0 for the first, from one of them on; each holds until the next is asked for.
   *
   * @throws at the first, when a plan is given that is not this data's
   */
  train(from: { epoch: number; firstBatch: number; plan?: LoaderPlan }): AsyncIterable<ImageBatch>
  /** The validation images, batch by batch. */
  evaluation(): AsyncIterable<ImageBatch>
  /** What the data set calls an image of the evaluation, such as the path of its file; by the index its batch has. */
  nameOf?(index: number): string | undefined
  /** Test images, which choose nothing, where there are some beside those of the evaluation. */
  test?: { images: number; batches(): AsyncIterable<ImageBatch>; nameOf?(index: number): string | undefined }
  /** What was understood of the files, in lines for who starts the run. */
  understood?: readonly string[]
  /** Ends the threads that load. */
  close(): Promise<void>
}

export interface TrainingDataOptions {
  /**
   * Threads that load; 0 loads between the steps, which is fastest for small images. See `createLoader`.
   *
   * @default 0, or half the processors when the images must be resized
   */
  workers?: number
  /** Makes the transforms, once the data is known to be there. @default those of the recipe alone */
  transforms?: () => Promise<MadeTransforms>
  /** Called for each image that is skipped since it cannot be decoded; without it the first one ends the run. */
  onSkipped?: OnSkipped
  /** Larger images are refused. @default decodeImage's */
  maxPixels?: number
  /**
   * The processes that train together: of each training batch this one has its part, of the batches of an evaluation every
   * worldSize-th. All counts are of all processes. @default one process
   */
  collectives?: Collectives
}

/**
 * Opens a recipe's data: what it is trained on, evaluated on after each epoch, and tested on at its end.
 *
 * @throws when the data cannot be opened or shared, or all training images are of one class
 */
export async function openTrainingData(
  recipe: Recipe,
  source: DataSource,
  { onSkipped, maxPixels, collectives = alone, ...options }: TrainingDataOptions = {},
): Promise<TrainingData> {
  const { batchSize, evalBatchSize, seed } = recipe
  const { worldSize, rank } = collectives
  const share = worldSize > 1 ? { numReplicas: worldSize, rank } : undefined
  if (share && share.numReplicas > batchSize)
    throw new Error(
      `The batches of ${batchSize} images are to be shared by ${share.numReplicas} processes; expected at least one image for each. Set a larger batchSize, or start fewer processes.`,
    )
  const onBroken = onSkipped ? 'skip' : 'raise'
  const { train, validation, test } = await openParts(recipe, source, { onBroken, decode: { maxPixels } })
  checkClasses(train)
  const chains = (await options.transforms?.()) ?? recipeTransforms(recipe)
  const workers = options.workers ?? defaultWorkers(chains.train, worldSize)
  const common = { workers, cacheBytes, reuseMemory: true }
  const training = createLoader(train, {
    ...common,
    transforms: chains.train,
    batchTransforms: chains.batches,
    batchSize,
    sampler: createSampler(recipe.sampler, train, seed),
    seed,
    share,
  })
  const forEvaluation = (dataset: Dataset) => ({
    ...common,
    transforms: chains.evaluation,
    batchSize: evalBatchSize,
    sampler: share && everyBatchOf(dataset.length, evalBatchSize, share),
  })
  const evaluation = createLoader(validation, forEvaluation(validation))
  const testing = test && createLoader(test, { ...forEvaluation(test), cacheBytes: 0 }) // used once
  const pass = ({ length }: Dataset) =>
    onSkipped ? skippedImages(length, onSkipped, collectives) : (batches: AsyncIterable<Batch>) => batches
  const [passTraining, passEvaluation] = [pass(train), pass(validation)]
  /** Every process takes as many batches, since they tell each other which images those lack. */
  const inRounds = (loader: Loader, { length }: Dataset): AsyncIterable<Batch> =>
    share && onSkipped
      ? padded(loader.batches(), Math.ceil(Math.ceil(length / evalBatchSize) / worldSize))
      : loader.batches()
  return {
    labels: train.classes,
    multiLabel: train.multiLabel ?? false,
    trainImages: train.length,
    evaluationImages: validation.length,
    stepsPerEpoch: training.batchesPerEpoch,
    plan: training.plan,
    train: from => passTraining(training.batches(from)),
    evaluation: () => passEvaluation(inRounds(evaluation, validation)),
    nameOf: index => validation.nameOf?.(index),
    ...(test &&
      testing && {
        test: {
          images: test.length,
          nameOf: index => test.nameOf?.(index),
          batches: () => pass(test)(inRounds(testing, test)),
        },
      }),
    understood: describeUnderstood([
      { name: 'train', dataset: train },
      { name: recipe.validation === 'test' ? 'test, which choose the best model' : 'validation', dataset: validation },
      ...(test ? [{ name: 'test', dataset: test }] : []),
    ]),
    close: async () => {
      await Promise.all([training.close(), evaluation.close(), testing?.close()])
    },
  }
}

/** Small images are made faster than they are sent between threads. */
const defaultWorkers = (chain: readonly Transform[], processes: number): number =>
  chain.some(({ name }) => name === 'resize') ? Math.ceil(availableParallelism() / 2 / processes) : 0

/** The batches, and empty ones behind them up to the count. */
async function* padded(batches: AsyncIterable<Batch>, count: number): AsyncGenerator<Batch, void, undefined> {
  let given = 0
  for await (const batch of batches) {
    given++
    yield batch
  }
  for (; given < count; given++)
    yield {
      pixelValues: { data: new Float32Array(0), shape: [0, 0, 0, 0] },
      labels: new Int32Array(0),
      indices: new Int32Array(0),
      skipped: [],
    }
}

export interface EvaluationBatchesOptions {
  batchSize: number
  /** How many times as large as the model's the images are to be, to be cropped. @default 1 */
  margin?: number
  /** Called for each image that is skipped. */
  onSkipped?: OnSkipped
}

/** The images of a data set, prepared as a model's processor does. */
export function evaluationBatches(
  dataset: Dataset,
  processor: ViTImageProcessor,
  { batchSize, margin = 1, onSkipped = () => {} }: EvaluationBatchesOptions,
): AsyncIterable<ImageBatch> {
  const chain = transformsOf(margin === 1 ? processor : largerBy(processor, margin))
  const loader = createLoader(dataset, { transforms: chain, batchSize, reuseMemory: true })
  return skippedImages(dataset.length, onSkipped)(loader.batches())
}
