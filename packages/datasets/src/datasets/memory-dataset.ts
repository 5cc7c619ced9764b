/** A data set of images that are in memory, of any sizes, as pixels or as the bytes of image files. */
import { checkImage } from '@vitral/core/image'
import { type BrokenImageOptions, decodeOrSkip } from '../images/decode-or-skip.ts'
import type { Dataset, RawImage } from '../types.ts'

/** An example for `memoryDataset`. */
export interface MemoryExample {
  /** Pixels, or an image file's bytes, which are decoded when the example is asked for. */
  image: RawImage | Uint8Array | ArrayBuffer | Blob
  /** Index into the classes. */
  label: number
}

/** Where an example is in the one piece of memory, which workers share where the machine lets them. */
interface Place {
  start: number
  end: number
  label: number
  /** Shape of the pixels; without it the bytes are an image file. */
  shape?: Omit<RawImage, 'data'>
}

export interface MemoryImages {
  bytes: Uint8Array
  places: readonly Place[]
  classes: readonly string[]
  options: BrokenImageOptions
}

/**
 * Takes examples from an array, a generator or any async iterable, until it ends.
 *
 * @throws naming the example whose label is no index into the classes, or whose pixels are not height · width · channels
 * @example
 * const dataset = await memoryDataset([{ image: { data, width: 8, height: 8, channels: 3 }, label: 0 }], ['cat'])
 */
export async function memoryDataset(
  examples: Iterable<MemoryExample> | AsyncIterable<MemoryExample>,
  classes: readonly string[],
  options: BrokenImageOptions = {},
): Promise<Dataset> {
  const chunks: Uint8Array[] = []
  const places: Place[] = []
  let size = 0
  for await (const { image, label } of examples) {
    if (classes[label] === undefined)
      throw new Error(`Example ${places.length} has label ${label}; expected 0 to ${classes.length - 1}.`)
    const { chunk, shape } = await bytesOf(image, places.length)
    chunks.push(chunk)
    places.push({ start: size, end: size + chunk.length, label, shape })
    size += chunk.length
  }
  // Browsers have shared memory on isolated pages only; elsewhere each worker gets a copy.
  const bytes = new Uint8Array(
    typeof SharedArrayBuffer === 'undefined' ? new ArrayBuffer(size) : new SharedArrayBuffer(size),
  )
  for (const [i, chunk] of chunks.entries()) bytes.set(chunk, places[i]?.start)
  return openMemory({ bytes, places, classes, options })
}

/** The data set of images that are in one piece of memory already. */
export function openMemory(images: MemoryImages): Dataset {
  const { bytes, places, classes, options } = images
  return {
    length: places.length,
    classes,
    labels: places.map(({ label }) => label),
    async get(index) {
      const place = places[index]
      if (!place) throw new RangeError(`Example ${index} was asked for; the data set has ${places.length}, from 0.`)
      const { start, end, label, shape } = place
      if (shape) return { image: { data: bytes.subarray(start, end), ...shape }, label }
      return { image: await decodeOrSkip(bytes.slice(start, end), options), label }
    },
    source: { name: 'memory', params: images },
  }
}

async function bytesOf(
  image: MemoryExample['image'],
  index: number,
): Promise<{ chunk: Uint8Array; shape?: Omit<RawImage, 'data'> }> {
  if (image instanceof Uint8Array) return { chunk: image }
  if (image instanceof Blob) return { chunk: new Uint8Array(await image.arrayBuffer()) }
  if (image instanceof ArrayBuffer) return { chunk: new Uint8Array(image) }
  const { data, width, height, channels } = image
  if (data.length !== width * height * channels)
    throw new Error(
      `Example ${index} has ${data.length} bytes of pixels; expected ${height} · ${width} · ${channels} = ${height * width * channels}.`,
    )
  try {
    checkImage(image)
  } catch (error) {
    throw new Error(`Example ${index}: ${(error as Error).message}`, { cause: error })
  }
  return { chunk: new Uint8Array(data.buffer, data.byteOffset, data.length), shape: { width, height, channels } }
}
