/** Data sets by the names that recipes and the command line have for them. */
import {
  type Dataset,
  downloadCifar10,
  downloadCifar100,
  downloadFashionMnist,
  downloadMnist,
  openCifar10,
  openCifar100,
  openFashionMnist,
  openImageFolder,
  openManifest,
  openMnist,
} from '@vitral/datasets'
import type { DecodeOptions } from '@vitral/datasets/images'
import {
  type DownloadProgress,
  imageFolderOwnSplits,
  imageFolderSplits,
  manifestOwnSplits,
  manifestSplits,
  type Split,
  type SplitChoice,
} from '@vitral/datasets/sources'
import { didYouMean } from '../did-you-mean.ts'

export interface DownloadOptions {
  onProgress?: (progress: DownloadProgress) => void
  signal?: AbortSignal
}

/** Options of openDataset. */
export interface OpenDatasetOptions {
  /** What an image file does that cannot be decoded: ends the run, or is left out of its batch. @default 'raise' */
  onBroken?: 'raise' | 'skip'
  /** Limits on what is decoded of image files. */
  decode?: Pick<DecodeOptions, 'maxPixels'>
}

interface DatasetEntry {
  /** Those that are sets of images of their own. */
  splits(path: string): Promise<readonly Split[]>
  /** Those of them that its maker gave it; none where it comes in one piece. @default all of them */
  ownSplits?(path: string): Promise<readonly Split[]>
  open(path: string, split: SplitChoice, options: OpenDatasetOptions): Promise<Dataset>
  /** Absent for data that only the user has. */
  download?(folder: string, options: DownloadOptions): Promise<unknown>
}

/** A data set as it is published, without a validation split: the test images are used in its place. */
const official = (
  open: (folder: string, split: 'train' | 'test') => Promise<Dataset>,
  download: NonNullable<DatasetEntry['download']>,
): DatasetEntry => ({
  async open(folder, split) {
    if (split === 'all') throw new Error('The data set comes in train and test images; expected one of them, not all.')
    return open(folder, split === 'train' ? 'train' : 'test')
  },
  splits: async () => ['train', 'test'],
  download,
})

const datasets: Readonly<Record<string, DatasetEntry>> = {
  cifar10: official((folder, split) => openCifar10(folder, { split }), downloadCifar10),
  cifar100: official((folder, split) => openCifar100(folder, { split }), downloadCifar100),
  'cifar100-coarse': official((folder, split) => openCifar100(folder, { split, labels: 'coarse' }), downloadCifar100),
  mnist: official((folder, split) => openMnist(folder, { split, channels: 3 }), downloadMnist),
  'fashion-mnist': official((folder, split) => openFashionMnist(folder, { split, channels: 3 }), downloadFashionMnist),
  folder: {
    open: (folder, split, options) => openImageFolder(folder, { split, ...options }),
    splits: folder => imageFolderSplits(folder),
    ownSplits: imageFolderOwnSplits,
  },
  manifest: {
    open: (path, split, options) => openManifest(path, { split, ...options }),
    splits: path => manifestSplits(path),
    ownSplits: manifestOwnSplits,
  },
}

/** Names of the data sets that openDataset knows. */
export const datasetNames: readonly string[] = Object.keys(datasets)

function entry(name: string): DatasetEntry {
  const found = Object.hasOwn(datasets, name) ? datasets[name] : undefined
  if (!found)
    throw new Error(
      `There is no data set '${name}'; expected one of ${datasetNames.join(', ')}.${didYouMean(name, datasetNames)}`,
    )
  return found
}

/**
 * Opens one split of a data set, or all of it.
 *
 * @param path its folder; of a manifest the file
 * @throws when there is no data set of that name, or the path does not hold it.
 */
export async function openDataset(
  name: string,
  path: string,
  split: SplitChoice,
  options: OpenDatasetOptions = {},
): Promise<Dataset> {
  return entry(name).open(path, split, options)
}

/**
 * The splits that a data set has; openDataset lets another stand in for the ones it has not.
 *
 * @throws when there is no data set of that name, or the path does not hold it.
 */
export async function datasetSplits(name: string, path: string): Promise<readonly Split[]> {
  return entry(name).splits(path)
}

/**
 * The images to test a model on: the data set's own test images, or else its own validation images; all images of a data
 * set in one piece.
 *
 * @throws when there is no data set of that name, or the path does not hold it.
 */
export async function testSplit(name: string, path: string): Promise<SplitChoice> {
  const { splits, ownSplits = splits } = entry(name)
  const own = await ownSplits(path)
  return own.includes('test') ? 'test' : own.includes('validation') ? 'validation' : 'all'
}

/**
 * Downloads a data set into a folder, unless it is there.
 *
 * @throws when there is no data set of that name, or it cannot be had.
 */
export async function downloadDataset(name: string, folder: string, options: DownloadOptions = {}): Promise<void> {
  const { download } = entry(name)
  if (!download) throw new Error(`The data set '${name}' is one's own images; there is nothing to download.`)
  await download(folder, options)
}
