/** CIFAR-10 in its official binary layout: records of a label and three colour planes of 32×32 bytes. */
import { open, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describeForeignFile, readTextFile } from './files.ts'
import { packedDataset } from './packed-dataset.ts'
import type { Dataset } from './types.ts'

const side = 32
const plane = side * side
const channels = 3
const recordBytes = 1 + channels * plane

/** The folder in the official archive. */
export const cifar10Folder = 'cifar-10-batches-bin'

const trainFiles = [1, 2, 3, 4, 5].map(i => `data_batch_${i}.bin`)
const testFile = 'test_batch.bin'
const classesFile = 'batches.meta.txt'
export const cifar10Files: readonly string[] = [...trainFiles, testFile, classesFile]

/** Of the official archive, in the order of the examples; a smaller set says its own numbers in `records.json`. */
const officialFiles = [...trainFiles, testFile]
const officialRecords = 10_000

export interface Cifar10Options {
  split: 'train' | 'test'
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
export async function openCifar10(folder: string, { split }: Cifar10Options): Promise<Dataset> {
  const { root, files, classes } = await checkCifar10(folder, split)
  const length = files.reduce((sum, { records }) => sum + records, 0)
  const pixels = new Uint8Array(new SharedArrayBuffer(length * channels * plane))
  const labels = new Int32Array(new SharedArrayBuffer(length * Int32Array.BYTES_PER_ELEMENT))
  let first = 0
  for (const { file, records } of files) {
    await readRecords(join(root, file), records, classes.length, {
      pixels: pixels.subarray(first * channels * plane),
      labels: labels.subarray(first),
    })
    first += records
  }
  return packedDataset({ pixels, labels, width: side, height: side, channels, classes })
}

/** What openCifar10 refuses without reading records: files that are missing or have a wrong size. */
export async function checkCifar10(
  folder: string,
  split: Cifar10Options['split'],
): Promise<{ root: string; files: { file: string; records: number }[]; classes: string[] }> {
  if (split !== 'train' && split !== 'test') throw new Error(`split is '${split}'; expected 'train' or 'test'.`)
  const root = await findRoot(folder)
  const files = (await readRecordCounts(root)).filter(({ file }) => (file === testFile) === (split === 'test'))
  if (files.length === 0) throw new Error(`${join(root, 'records.json')} names no file of the ${split} split.`)
  for (const file of [...files.map(({ file }) => file), classesFile])
    if (!(await exists(join(root, file)))) throw new Error(`${join(root, file)} is missing. Expected ${rightFolder}`)
  for (const { file, records } of files) await checkSize(join(root, file), records)
  return { root, files, classes: await readClasses(join(root, classesFile)) }
}

async function findRoot(folder: string): Promise<string> {
  for (const root of [folder, join(folder, cifar10Folder)])
    for (const file of [testFile, trainFiles[0] as string, classesFile]) if (await exists(join(root, file))) return root
  const python = (await exists(join(folder, 'data_batch_1'))) || (await exists(join(folder, 'cifar-10-batches-py')))
  throw new Error(
    python
      ? `${folder} has the Python version of CIFAR-10; expected the binary version, whose files end in .bin: ${rightFolder}`
      : `${folder} has no CIFAR-10. Expected ${rightFolder}`,
  )
}

const rightFolder = `a folder, or the one above it, with ${trainFiles[0]} … ${trainFiles.at(-1)}, ${testFile} and ${classesFile}, as cifar-10-binary.tar.gz unpacks to; downloadCifar10(folder) gets it.`

async function readRecordCounts(root: string): Promise<{ file: string; records: number }[]> {
  const path = join(root, 'records.json')
  if (!(await exists(path))) return officialFiles.map(file => ({ file, records: officialRecords }))
  const expected = 'expected an object such as { "data_batch_1.bin": 1500, "test_batch.bin": 300 }.'
  let counts: unknown
  try {
    counts = JSON.parse(await readTextFile(path))
  } catch (error) {
    throw new Error(`${path} is not JSON (${(error as Error).message}); ${expected}`)
  }
  if (typeof counts !== 'object' || counts === null || Array.isArray(counts))
    throw new Error(`${path} holds ${JSON.stringify(counts)}; ${expected}`)
  for (const [file, count] of Object.entries(counts))
    if (!officialFiles.includes(file) || !Number.isInteger(count) || count < 1 || count > officialRecords)
      throw new Error(`${path} says ${JSON.stringify(file)}: ${JSON.stringify(count)}; ${expected}`)
  // The order of the examples is that of the file names, whatever the order in the JSON.
  return officialFiles.flatMap(file => {
    const records = (counts as Record<string, number>)[file]
    return records === undefined ? [] : { file, records }
  })
}

async function readClasses(path: string): Promise<string[]> {
  const classes = (await readTextFile(path)).split('\n').flatMap(line => line.trim() || [])
  if (classes.length !== 10 || new Set(classes).size !== 10)
    throw new Error(`${path} names ${classes.length} classes; expected 10 different ones, one a line.`)
  return classes
}

/** Before anything is allocated or read, so that a wrong file is refused at once. */
async function checkSize(path: string, records: number): Promise<void> {
  const { size } = await stat(path)
  const expected = records * recordBytes
  if (size === expected) return
  const foreign = await describeForeignFile(path)
  const what = foreign ?? (size < expected ? 'it is truncated' : 'it is not this file of CIFAR-10')
  throw new Error(
    `${path} has ${size} bytes; expected ${expected} (${records} records of ${recordBytes}): ${what}. Get the file again, for instance by downloadCifar10.`,
  )
}

async function readRecords(
  path: string,
  count: number,
  numClasses: number,
  into: { pixels: Uint8Array; labels: Int32Array },
): Promise<void> {
  const bytes = new Uint8Array(count * recordBytes)
  const file = await open(path)
  try {
    for (let got = 0; got < bytes.length; ) {
      const { bytesRead } = await file.read(bytes, got, bytes.length - got, got)
      if (bytesRead === 0) throw new Error(`${path} ended after ${got} bytes; expected ${bytes.length}.`)
      got += bytesRead
    }
  } finally {
    await file.close()
  }
  for (let i = 0; i < count; i++) {
    const record = i * recordBytes
    const label = bytes[record] as number
    if (label >= numClasses) {
      const foreign = await describeForeignFile(path)
      throw new Error(
        `${path}: record ${i} has label ${label}; expected 0 to ${numClasses - 1}${foreign ? ` (${foreign})` : ''}.`,
      )
    }
    into.labels[i] = label
    interleave(bytes, record + 1, into.pixels, i * channels * plane)
  }
}

/** Planes of red, green and blue → pixels of three bytes. */
function interleave(planes: Uint8Array, from: number, pixels: Uint8Array, to: number): void {
  for (let i = 0; i < plane; i++) {
    pixels[to++] = planes[from + i] as number
    pixels[to++] = planes[from + plane + i] as number
    pixels[to++] = planes[from + 2 * plane + i] as number
  }
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )
