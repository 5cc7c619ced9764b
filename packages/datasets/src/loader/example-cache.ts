/**
 * Decoded images kept in memory that all threads of a loader share: each is decoded once, by whoever needs it first.
 *
 * It fills up and then stays as it is: every epoch wants every image, so that putting out one for another would gain
 * nothing. Images that lie in shared memory already are left there.
 */
import { checkImage } from '@vitral/core/image'
import type { Dataset, Example } from '../types.ts'
import { allocate, type Memory } from './memory.ts'

export interface CacheMemory {
  /** Units of `pixels` that are taken; then, for each example, the fields below. */
  places: Memory
  pixels: Memory
}

/** Fields of an example, Int32 each. */
const [state, start, width, height, channels, label, labelCount, fieldCount] = [0, 1, 2, 3, 4, 5, 6, 7]
/** Value of labelCount when an example has no list of labels; one that has some keeps it after its pixels, Int32 each. */
const noList = -1
/** Bytes; starts are counted in it, so that an Int32 can tell 16 GiB. */
const unit = 8

// States. A place that was claimed stays so when its thread ends, or when there is no room: the image is then decoded.
const [empty, claimed, ready] = [0, 1, 2]

/** The system gives the memory of pixels only once it is written. */
export function createCacheMemory(examples: number, bytes: number): CacheMemory {
  return {
    places: allocate((1 + examples * fieldCount) * Int32Array.BYTES_PER_ELEMENT, true),
    pixels: allocate(bytes - (bytes % unit), true),
  }
}

/** The data set, with a `get` that looks into the cache first; without a cache the data set itself. */
export function cacheExamples(dataset: Dataset, cache: CacheMemory | undefined): Dataset {
  if (!cache) return dataset
  const memory = cache.pixels
  const places = new Int32Array(cache.places)
  const pixels = new Uint8Array(memory)

  function get(index: number): Example | Promise<Example> {
    const place = 1 + index * fieldCount
    if (Atomics.load(places, place + state) === ready) return read(place)
    const example = dataset.get(index)
    return example instanceof Promise ? example.then(made => keep(place, made)) : keep(place, example)
  }

  function read(place: number): Example {
    const field = (name: number): number => places[place + name] as number
    const image = { width: field(width), height: field(height), channels: field(channels) }
    const from = field(start) * unit
    const size = image.width * image.height * image.channels
    const example = { image: { data: pixels.subarray(from, from + size), ...image }, label: field(label) }
    if (field(labelCount) === noList) return example
    return { ...example, labels: [...new Int32Array(memory, from + roundUp(size), field(labelCount))] }
  }

  function keep(place: number, example: Example): Example {
    checkImage(example.image) // another array's values would be cut to bytes here
    const { data, ...image } = example.image
    if (!(data.buffer instanceof ArrayBuffer)) return example
    if (Atomics.compareExchange(places, place + state, empty, claimed) !== empty) return example
    const { labels = [] } = example
    const units = (roundUp(data.length) + roundUp(labels.length * Int32Array.BYTES_PER_ELEMENT)) / unit
    const from = Atomics.add(places, 0, units)
    if ((from + units) * unit > pixels.length) Atomics.sub(places, 0, units)
    else {
      pixels.set(data, from * unit)
      new Int32Array(memory, from * unit + roundUp(data.length), labels.length).set(labels)
      const count = example.labels ? labels.length : noList
      places.set([from, image.width, image.height, image.channels, example.label, count], place + start)
      Atomics.store(places, place + state, ready)
    }
    return example
  }

  return { ...dataset, get }
}

const roundUp = (bytes: number): number => Math.ceil(bytes / unit) * unit
