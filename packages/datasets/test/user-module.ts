/** What a user writes: a data set and transforms of one's own, in a module that workers import. */
import type { Batch, BatchTransform, Dataset, RawImage, Transform } from '../src/types.ts'

const module = import.meta.url

export default function stripes({ count }: { count: number }): Dataset {
  return {
    length: count,
    classes: ['even', 'odd'],
    get: async index => {
      const data = Uint8Array.from({ length: 4 * 4 * 3 }, (_, i) => (i * (index + 1)) & 255)
      return { image: { data, width: 4, height: 4, channels: 3 }, label: index % 2 }
    },
    source: { module, params: { count } },
  }
}

/** Adds to every byte, by chance more. */
export function brighten(by: number): Transform<RawImage, RawImage> {
  return {
    ...{ name: 'brighten', args: [by], module, export: 'brighten' },
    apply: (image, random) => {
      const more = by + random.below(50)
      return { ...image, data: image.data.map(byte => Math.min(255, byte + more)) }
    },
  }
}

export function halve(): BatchTransform {
  return {
    ...{ name: 'halve', args: [], module, export: 'halve' },
    apply: (batch: Batch) => {
      const { data, shape } = batch.pixelValues
      return { ...batch, pixelValues: { data: data.map(value => value / 2), shape } }
    },
  }
}

export const nothing = (): unknown => undefined
