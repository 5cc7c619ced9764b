/** From names in a recipe or on the command line to batches: data sets, transform chains, loaders. */
import type { ViTImageProcessor } from '@vitral/core'
import {
  createLoader,
  type Dataset,
  type DownloadProgress,
  downloadCifar10,
  openCifar10,
  transforms,
} from '@vitral/datasets'
import { transformsOf } from './processor.ts'
import type { Recipe } from './recipe.ts'
import type { ImageBatch } from './train-step.ts'

/** What the loop needs to know of its data. */
export interface TrainingData {
  /** Names of the classes, in the order of the labels. */
  labels: readonly string[]
  trainImages: number
  evaluationImages: number
  stepsPerEpoch: number
  /** The batches of an epoch, 0 for the first, from one of them on. Their order is a function of seed and epoch. */
  train(from: { epoch: number; firstBatch: number }): AsyncIterable<ImageBatch>
  evaluation(): AsyncIterable<ImageBatch>
  /** Ends the threads that load. */
  close(): Promise<void>
}

export type Split = 'train' | 'test'

export interface DownloadOptions {
  onProgress?: (progress: DownloadProgress) => void
  signal?: AbortSignal
}

interface DatasetEntry {
  open(folder: string, split: Split): Promise<Dataset>
  download(folder: string, options: DownloadOptions): Promise<unknown>
}

const datasets: Record<string, DatasetEntry> = {
  cifar10: { open: (folder, split) => openCifar10(folder, { split }), download: downloadCifar10 },
}

export const datasetNames: readonly string[] = Object.keys(datasets)

function entry(name: string): DatasetEntry {
  const found = Object.hasOwn(datasets, name) ? datasets[name] : undefined
  if (!found) throw new Error(`There is no data set '${name}'; expected one of ${datasetNames.join(', ')}.`)
  return found
}

/**
 * Opens one split of a data set.
 *
 * @throws when there is no data set of that name, or the folder does not hold it.
 */
export async function openDataset(name: string, folder: string, split: Split): Promise<Dataset> {
  return entry(name).open(folder, split)
}

/**
 * Downloads a data set into a folder, unless it is there.
 *
 * @throws when there is no data set of that name, or it cannot be had.
 */
export async function downloadDataset(name: string, folder: string, options: DownloadOptions = {}): Promise<void> {
  await entry(name).download(folder, options)
}

/** @throws when there is no chain of that name. */
export function transformChain(name: string): transforms.Chain {
  const chain = Object.hasOwn(transforms.chains, name) ? transforms.chains[name] : undefined
  if (!chain)
    throw new Error(`There are no transforms '${name}'; expected one of ${Object.keys(transforms.chains).join(', ')}.`)
  return chain
}

/**
 * Opens a recipe's data.
 *
 * @param workers threads that load; 0 loads between the steps, which is fastest for small images. See `createLoader`.
 */
export async function openTrainingData(recipe: Recipe, folder: string, workers: number): Promise<TrainingData> {
  const { dataset, batchSize, evalBatchSize, seed } = recipe
  const chain = transformChain(recipe.transforms)
  const [train, test] = [await openDataset(dataset, folder, 'train'), await openDataset(dataset, folder, 'test')]
  const training = createLoader(train, {
    transforms: chain({ train: true }),
    batchSize,
    shuffle: true,
    seed,
    workers,
  })
  const evaluation = createLoader(test, { transforms: chain({ train: false }), batchSize: evalBatchSize, workers })
  return {
    labels: train.classes,
    trainImages: train.length,
    evaluationImages: test.length,
    stepsPerEpoch: training.batchesPerEpoch,
    train: from => training.batches(from),
    evaluation: () => evaluation.batches(),
    close: async () => {
      await Promise.all([training.close(), evaluation.close()])
    },
  }
}

/** The test images of a data set, prepared as a model's processor does. */
export function evaluationBatches(
  dataset: Dataset,
  processor: ViTImageProcessor,
  batchSize: number,
): AsyncIterable<ImageBatch> {
  return createLoader(dataset, { transforms: transformsOf(processor), batchSize }).batches()
}
