/** CIFAR-10 and CIFAR-100 as data: where each is, which files it has and what a record of theirs begins with. */
import type { Archive } from '../download/archive.ts'

/** One of the label bytes ahead of a record's pixels. */
export interface CifarLabel {
  name: 'label' | 'coarse' | 'fine'
  /** Text file with the names of the classes, one a line. */
  classesFile: string
  classes: number
}

export interface CifarLayout {
  name: string
  /** Function that downloads it, for messages. */
  downloader: string
  trainFiles: readonly string[]
  testFile: string
  /** Records in each official file; a smaller set says its own numbers in `records.json`. */
  records: Readonly<Record<string, number>>
  /** In the order of the bytes. */
  labels: readonly CifarLabel[]
  /** What is in a folder by which the version for Python is told from the binary one. */
  python: readonly string[]
  archive: Archive
}

const cifar10TrainFiles = [1, 2, 3, 4, 5].map(i => `data_batch_${i}.bin`)

export const cifar10: CifarLayout = layout({
  name: 'CIFAR-10',
  downloader: 'downloadCifar10',
  trainFiles: cifar10TrainFiles,
  testFile: 'test_batch.bin',
  records: Object.fromEntries([...cifar10TrainFiles, 'test_batch.bin'].map(file => [file, 10_000])),
  labels: [{ name: 'label', classesFile: 'batches.meta.txt', classes: 10 }],
  python: ['data_batch_1', 'cifar-10-batches-py'],
  url: 'https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz',
  md5: 'c32a1d4ab5d03f1284b67883e8d87530',
  folder: 'cifar-10-batches-bin',
})

export const cifar100: CifarLayout = layout({
  name: 'CIFAR-100',
  downloader: 'downloadCifar100',
  trainFiles: ['train.bin'],
  testFile: 'test.bin',
  records: { 'train.bin': 50_000, 'test.bin': 10_000 },
  labels: [
    { name: 'coarse', classesFile: 'coarse_label_names.txt', classes: 20 },
    { name: 'fine', classesFile: 'fine_label_names.txt', classes: 100 },
  ],
  python: ['cifar-100-python'],
  url: 'https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz',
  md5: '03b5dce01913d631647c71ecec9e9cb8',
  folder: 'cifar-100-binary',
})

/** The archive holds the files named before it, and unpacks to a little more than the 185 MB of their records. */
function layout({
  url,
  md5,
  folder,
  ...rest
}: Omit<CifarLayout, 'archive'> & Pick<Archive, 'url' | 'md5' | 'folder'>): CifarLayout {
  const files = [...rest.trainFiles, rest.testFile, ...rest.labels.map(({ classesFile }) => classesFile)]
  return { ...rest, archive: { url, md5, folder, files, maxBytes: 200_000_000 } }
}
