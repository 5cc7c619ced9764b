/** MNIST and Fashion-MNIST, found and downloaded under the names that torchvision gives them. */
import { join } from 'node:path'
import { withLock } from '@vitral/core/node'
import { downloadFile } from '../download/download-file.ts'
import { exists } from '../files/read-files.ts'
import type { Dataset } from '../types.ts'
import type { DownloadDatasetOptions } from './download-cifar.ts'
import { type IdxFiles, openIdx } from './idx.ts'

/** Settings of `openMnist` and `openFashionMnist`. */
export interface MnistOptions extends Pick<IdxFiles, 'channels'> {
  /** Which of the two parts. */
  split: 'train' | 'test'
}

export interface MnistLayout {
  name: string
  downloader: string
  folder: string
  url: string
  /** MD5 of each packed file. */
  md5: Readonly<Record<string, string>>
  classes: readonly string[]
}

const files = {
  train: { images: 'train-images-idx3-ubyte', labels: 'train-labels-idx1-ubyte' },
  test: { images: 't10k-images-idx3-ubyte', labels: 't10k-labels-idx1-ubyte' },
} as const

export const mnist: MnistLayout = {
  name: 'MNIST',
  downloader: 'downloadMnist',
  folder: join('MNIST', 'raw'),
  url: 'https://ossci-datasets.s3.amazonaws.com/mnist/',
  md5: {
    'train-images-idx3-ubyte': 'f68b3c2dcbeaaa9fbdd348bbdeb94873',
    'train-labels-idx1-ubyte': 'd53e105ee54ea40749a09fcbcd1e9432',
    't10k-images-idx3-ubyte': '9fb629c4189551a2d022fa330f9573f3',
    't10k-labels-idx1-ubyte': 'ec29112dd5afa0611ce80d1b7f02629c',
  },
  classes: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
}

const fashionMnist: MnistLayout = {
  name: 'Fashion-MNIST',
  downloader: 'downloadFashionMnist',
  folder: join('FashionMNIST', 'raw'),
  url: 'http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/',
  md5: {
    'train-images-idx3-ubyte': '8d4fb7e6c68d591d4c3dfef9ec88bf0d',
    'train-labels-idx1-ubyte': '25c81989df183df01b3e8a0aad5dffbe',
    't10k-images-idx3-ubyte': 'bef4ecab320f06d8554ea6380940ec79',
    't10k-labels-idx1-ubyte': 'bb300cfdad3c16e7a12a480ee83cd310',
  },
  classes: [
    ...['T-shirt/top', 'Trouser', 'Pullover', 'Dress', 'Coat'],
    ...['Sandal', 'Shirt', 'Sneaker', 'Bag', 'Ankle boot'],
  ],
}

/**
 * Opens MNIST: 28×28 grey images of digits.
 *
 * @param folder with `train-images-idx3-ubyte.gz` and its like (unpacked or not), or the one above `MNIST/raw`
 * @throws naming the file that is missing, truncated or something else
 * @example
 * const train = await openMnist('data', { split: 'train', channels: 3 })
 * train.length // 60000
 */
export const openMnist = (folder: string, options: MnistOptions): Promise<Dataset> => open(mnist, folder, options)

/**
 * Opens Fashion-MNIST: 28×28 grey images of clothes, in files named as MNIST's.
 *
 * @param folder with the files, or the one above `FashionMNIST/raw`
 * @throws naming the file that is missing, truncated or something else
 */
export const openFashionMnist = (folder: string, options: MnistOptions): Promise<Dataset> =>
  open(fashionMnist, folder, options)

/**
 * Downloads MNIST (12 MB) unless it is there; each file's md5 is checked.
 *
 * @param folder where `MNIST/raw` is made
 * @returns the path of `MNIST/raw`, for openMnist
 * @throws when the server cannot be reached, or sends something else
 */
export const downloadMnist = (folder: string, options: DownloadDatasetOptions = {}): Promise<string> =>
  downloadIdx(mnist, folder, options)

/**
 * Downloads Fashion-MNIST (31 MB) unless it is there; each file's md5 is checked.
 *
 * @param folder where `FashionMNIST/raw` is made
 * @returns the path of `FashionMNIST/raw`, for openFashionMnist
 * @throws when the server cannot be reached, or sends something else
 */
export const downloadFashionMnist = (folder: string, options: DownloadDatasetOptions = {}): Promise<string> =>
  downloadIdx(fashionMnist, folder, options)

async function open(layout: MnistLayout, folder: string, { split, channels }: MnistOptions): Promise<Dataset> {
  const { name, classes, downloader } = layout
  if (!Object.hasOwn(files, split)) throw new Error(`split is '${split}'; expected 'train' or 'test'.`)
  const find = async (file: string): Promise<string> => {
    for (const root of [join(folder, layout.folder), folder])
      for (const path of [join(root, file), join(root, `${file}.gz`)]) if (await exists(path)) return path
    throw new Error(
      `${folder} has no ${name}. Expected a folder, or the one above ${layout.folder}, with ${file}.gz, unpacked or not; ${downloader}(folder) gets it.`,
    )
  }
  const { images, labels } = files[split]
  return openIdx({ images: await find(images), labels: await find(labels), classes, channels })
}

/** The largest file, of 60,000 images, has 26 MB. */
const mostBytes = 2 ** 26

/** @param layout another one is for tests */
export async function downloadIdx(
  layout: MnistLayout,
  folder: string,
  { url = layout.url, ...options }: DownloadDatasetOptions,
): Promise<string> {
  const target = join(folder, layout.folder)
  return withLock(`${target}.lock`, { signal: options.signal }, async () => {
    for (const [file, md5] of Object.entries(layout.md5)) {
      if (await exists(join(target, file))) continue
      const source = `${url.replace(/\/$/, '')}/${file}.gz`
      await downloadFile(join(target, `${file}.gz`), { url: source, md5, maxBytes: mostBytes, ...options })
    }
    return target
  })
}
