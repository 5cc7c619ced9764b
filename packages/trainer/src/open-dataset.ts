/** Data sets by the names that recipes and the command line have for them. */
import {
  type Dataset,
  type DownloadProgress,
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
  type Split,
} from '@vitral/datasets'

export interface DownloadOptions {
  onProgress?: (progress: DownloadProgress) => void
  signal?: AbortSignal
}

export interface OpenDatasetOptions {
  /** What an image file does that cannot be decoded: ends the run, or is left out of its batch. @default 'raise' */
  onBroken?: 'raise' | 'skip'
}

interface DatasetEntry {
  open(path: string, split: Split, options: OpenDatasetOptions): Promise<Dataset>
  /** Absent for data that only the user has. */
  download?(folder: string, options: DownloadOptions): Promise<unknown>
}

/** These have no validation split; their test images are used in its place. */
const official = (split: Split): 'train' | 'test' => (split === 'train' ? 'train' : 'test')

const datasets: Readonly<Record<string, DatasetEntry>> = {
  cifar10: { open: (folder, split) => openCifar10(folder, { split: official(split) }), download: downloadCifar10 },
  cifar100: { open: (folder, split) => openCifar100(folder, { split: official(split) }), download: downloadCifar100 },
  'cifar100-coarse': {
    open: (folder, split) => openCifar100(folder, { split: official(split), labels: 'coarse' }),
    download: downloadCifar100,
  },
  mnist: {
    open: (folder, split) => openMnist(folder, { split: official(split), channels: 3 }),
    download: downloadMnist,
  },
  'fashion-mnist': {
    open: (folder, split) => openFashionMnist(folder, { split: official(split), channels: 3 }),
    download: downloadFashionMnist,
  },
  folder: { open: (folder, split, options) => openImageFolder(folder, { split, ...options }) },
  manifest: { open: (path, split, options) => openManifest(path, { split, ...options }) },
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
 * @param path its folder; of a manifest the file
 * @throws when there is no data set of that name, or the path does not hold it.
 */
export async function openDataset(
  name: string,
  path: string,
  split: Split,
  options: OpenDatasetOptions = {},
): Promise<Dataset> {
  return entry(name).open(path, split, options)
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
