/** CIFAR-10 and CIFAR-100 in their official binary layout: records of label bytes and three colour planes of 32×32. */

import { packedDataset } from '../datasets/packed-dataset.ts'
import { describeForeignFile, readWhole } from '../files/read-files.ts'
import type { Dataset } from '../types.ts'
import { checkCifar, pixelBytes } from './cifar-folder.ts'
import { type CifarLabel, type CifarLayout, cifar10, cifar100 } from './cifar-layout.ts'

const side = 32
const plane = side * side
const channels = 3

/** Settings of `openCifar10`. */
export interface Cifar10Options {
  /** Which of the two parts. */
  split: 'train' | 'test'
}

/** Settings of `openCifar100`. */
export interface Cifar100Options extends Cifar10Options {
  /** The 100 classes, or the 20 groups they are in. @default 'fine' */
  labels?: 'fine' | 'coarse'
}

/**
 * Opens CIFAR-10 from a folder.
 *
 * All of a split is read into shared memory (154 MB for training), the labels are checked, and workers use the same
 * bytes. A sample has fewer records in its files and a `records.json` such as
 * `{ "data_batch_1.bin": 1500, "test_batch.bin": 300 }`, so that a truncated file is still told from a small one.
 *
 * @param folder `cifar-10-batches-bin`, or the folder it is in
 * @throws naming the file that is missing, truncated or something else, and the record whose label is out of range
 * @example
 * const train = await openCifar10('data', { split: 'train' })
 * train.length // 50000
 * train.classes[(await train.get(0)).label] // 'frog'
 */
export function openCifar10(folder: string, { split }: Cifar10Options): Promise<Dataset> {
  return openCifar(cifar10, folder, split, 'label')
}

/**
 * Opens CIFAR-100 from a folder, as openCifar10 does.
 *
 * @param folder `cifar-100-binary`, or the folder it is in
 * @throws naming the file that is missing, truncated or something else, and the record whose label is out of range
 * @example
 * const test = await openCifar100('data', { split: 'test', labels: 'coarse' })
 * test.classes[0] // 'aquatic_mammals'
 */
export async function openCifar100(folder: string, { split, labels = 'fine' }: Cifar100Options): Promise<Dataset> {
  if (labels !== 'fine' && labels !== 'coarse')
    throw new Error(`labels is '${labels}'; expected 'fine' (100 classes) or 'coarse' (20).`)
  return openCifar(cifar100, folder, split, labels)
}

async function openCifar(
  layout: CifarLayout,
  folder: string,
  split: 'train' | 'test',
  label: CifarLabel['name'],
): Promise<Dataset> {
  const { files, classes } = await checkCifar(layout, folder, split)
  const chosen = layout.labels.findIndex(({ name }) => name === label)
  const length = files.reduce((sum, { records }) => sum + records, 0)
  const pixels = new Uint8Array(new SharedArrayBuffer(length * pixelBytes))
  const labels = new Int32Array(new SharedArrayBuffer(length * Int32Array.BYTES_PER_ELEMENT))
  let first = 0
  for (const { path, records } of files) {
    const recordBytes = layout.labels.length + pixelBytes
    const bytes = await readWhole(path, records * recordBytes)
    for (let i = 0; i < records; i++) {
      const record = bytes.subarray(i * recordBytes, (i + 1) * recordBytes)
      // All label bytes, so that a file of another layout is not taken for this one.
      const wrong = layout.labels.findIndex(({ classes }, byte) => (record[byte] as number) >= classes)
      if (wrong >= 0) throw await labelError(layout.labels[wrong] as CifarLabel, record[wrong] as number, path, i)
      labels[first + i] = record[chosen] as number
      interleave(record.subarray(layout.labels.length), pixels, (first + i) * pixelBytes)
    }
    first += records
  }
  return packedDataset({ pixels, labels, width: side, height: side, channels, classes: classes[chosen] as string[] })
}

async function labelError({ name, classes }: CifarLabel, label: number, path: string, record: number): Promise<Error> {
  const foreign = await describeForeignFile(path)
  const what = name === 'label' ? 'label' : `${name} label`
  return new Error(
    `${path}: record ${record} has ${what} ${label}; expected 0 to ${classes - 1}${foreign ? ` (${foreign})` : ''}.`,
  )
}

/** Planes of red, green and blue → pixels of three bytes. */
function interleave(planes: Uint8Array, pixels: Uint8Array, to: number): void {
  for (let i = 0; i < plane; i++) {
    pixels[to++] = planes[i] as number
    pixels[to++] = planes[plane + i] as number
    pixels[to++] = planes[2 * plane + i] as number
  }
}
