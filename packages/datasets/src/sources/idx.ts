/** The idx format of MNIST and its successors: a magic number, the axes, then the bytes; as a rule inside gzip. */
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { elementsOf } from '@vitral/core/sizes'
import { packedDataset } from '../datasets/packed-dataset.ts'
import { describeForeignBytes } from '../files/foreign-file.ts'
import type { Dataset } from '../types.ts'

/** Limit on what a gzip unpacks to. */
const maxBytes = 2 ** 30

interface IdxArray {
  /** Lengths of the axes, the outermost first. */
  shape: number[]
  data: Uint8Array
}

/** Files and classes of a data set in idx format. */
export interface IdxFiles {
  /** Path of the images, [count, height, width] bytes, gzip or not. */
  images: string
  /** Path of the labels, [count] bytes, gzip or not. */
  labels: string
  /** Names, in the order of the labels. */
  classes: readonly string[]
  /** 3 repeats the grey of each pixel, for models that take colour. @default 1 */
  channels?: 1 | 3
}

/**
 * Opens a data set of grey images in idx format, read into shared memory.
 *
 * @throws naming the file that is missing, truncated or something else, and the record whose label is out of range
 */
export async function openIdx({ images, labels, classes, channels = 1 }: IdxFiles): Promise<Dataset> {
  if (channels !== 1 && channels !== 3) throw new Error(`channels is ${channels}; expected 1 (grey) or 3 (colour).`)
  const grey = await readIdx(images, 3)
  const marks = await readIdx(labels, 1)
  const [count, height, width] = grey.shape as [number, number, number]
  if (marks.shape[0] !== count)
    throw new Error(`${labels} has ${marks.shape[0]} labels, but ${images} has ${count} images; expected the same.`)
  const wrong = marks.data.findIndex(label => label >= classes.length)
  if (wrong >= 0)
    throw new Error(`${labels}: record ${wrong} has label ${marks.data[wrong]}; expected 0 to ${classes.length - 1}.`)
  const pixels = new Uint8Array(new SharedArrayBuffer(grey.data.length * channels))
  for (let i = 0; i < grey.data.length; i++) pixels.fill(grey.data[i] as number, i * channels, (i + 1) * channels)
  const shared = new Int32Array(new SharedArrayBuffer(4 * count))
  shared.set(marks.data)
  return packedDataset({ pixels, labels: shared, width, height, channels, classes })
}

/**
 * Reads an array of bytes.
 *
 * @throws naming the file, when it is no idx file of that many axes or its bytes are not what its head says
 */
async function readIdx(path: string, axes: number): Promise<IdxArray> {
  const bytes = await unpack(path)
  const head = 4 + 4 * axes
  const [a, b, type, count] = bytes
  if (a !== 0 || b !== 0 || count === undefined) {
    const what = describeForeignBytes(bytes) ?? `it begins with ${[...bytes.subarray(0, 4)].join(' ')}`
    throw new Error(`${path} is no idx file: ${what}.`)
  }
  if (type !== 8 || count !== axes)
    throw new Error(`${path} has values of type ${type} on ${count} axes; expected bytes (type 8) on ${axes}.`)
  if (bytes.length < head) throw new Error(`${path} has ${bytes.length} bytes; its head alone has ${head}.`)
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const shape = Array.from({ length: axes }, (_, axis) => view.getUint32(4 + 4 * axis))
  const expected = elementsOf(shape)
  if (expected === 0 || bytes.length - head !== expected)
    throw new Error(
      `${path} has ${bytes.length - head} bytes after its head; expected ${shape.join(' · ')} = ${expected}.`,
    )
  return { shape, data: bytes.subarray(head) }
}

async function unpack(path: string): Promise<Uint8Array> {
  const bytes = await readFile(path)
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength: maxBytes })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const why = code === 'ERR_BUFFER_TOO_LARGE' ? `it is larger than ${maxBytes} bytes` : message
    throw new Error(`${path} cannot be unpacked: ${why}. Get the file again.`, { cause: error })
  }
}
