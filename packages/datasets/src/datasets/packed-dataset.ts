/** A data set held in memory: images of one size, one after another, shared with workers without a copy. */
import type { Dataset } from '../types.ts'

/** Images of one size in shared memory, and their labels. */
export interface PackedImages {
  /** length · height · width · channels bytes, each image row by row. */
  pixels: Uint8Array<SharedArrayBuffer>
  /** One for each image. */
  labels: Int32Array<SharedArrayBuffer>
  /** Pixels. */
  width: number
  /** Pixels. */
  height: number
  /** Values of a pixel: 1 for grey, 3 for RGB. */
  channels: number
  /** Names of the classes, in the order of the labels. */
  classes: readonly string[]
}

/** The examples' images are views into `pixels`. */
export function packedDataset(images: PackedImages): Dataset {
  const { pixels, labels, width, height, channels, classes } = images
  const size = width * height * channels
  return {
    length: labels.length,
    classes,
    labels,
    inMemory: true,
    get(index) {
      const label = labels[index]
      if (label === undefined)
        throw new RangeError(`Example ${index} was asked for; the data set has ${labels.length}, numbered from 0.`)
      const data = pixels.subarray(index * size, (index + 1) * size)
      return { image: { data, width, height, channels }, label }
    },
    source: { name: 'packed', params: images },
  }
}
