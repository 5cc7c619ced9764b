/** A chain of transforms made ready for many images: its end, bytes to floats, becomes one table look-up for each byte. */
import { checkImage } from '@vitral/core/image'
import { kernels } from '../functional/kernels/kernels.ts'
import type { ImageTensor, RawImage, Sample, Transform } from '../types.ts'
import { applyAll } from './compose.ts'

export interface Pipeline {
  /** Applies the chain up to its end; all chance comes from the seed. */
  prepare(image: RawImage, seed: number): Sample
  /** [channels, height, width] of a prepared sample once it is written. */
  shapeOf(sample: Sample): ImageTensor['shape']
  /** Applies the end of the chain and writes the floats, plane by plane, from `offset` on. */
  write(sample: Sample, into: Float32Array, offset: number): void
}

/**
 * The results are the same bits as those of applying the transforms one by one: the table is made by doing so with all
 * 256 bytes. It saves two arrays of floats for each image.
 */
export function createPipeline(transforms: readonly Transform[]): Pipeline {
  const toTensor = transforms.findIndex(({ name }) => name === 'toTensor')
  const tabled = toTensor >= 0 && transforms.slice(toTensor + 1).every(({ name }) => name === 'normalize')
  const start = tabled ? transforms.slice(0, toTensor) : transforms
  const end = tabled ? transforms.slice(toTensor) : []
  const tables = new Map<number, Float32Array>()

  const tableFor = (channels: number): Float32Array => {
    let table = tables.get(channels)
    if (!table) {
      const data = Uint8Array.from({ length: 256 * channels }, (_, i) => i / channels)
      table = (applyAll(end, { data, width: 256, height: 1, channels }, 0) as ImageTensor).data // [channels, 1, 256]
      tables.set(channels, table)
    }
    return table
  }

  return {
    prepare: (image, seed) => {
      checkImage(image)
      const sample = applyAll(start, image, seed)
      if (!tabled && 'channels' in sample)
        throw new Error('The transforms end with an image; end them with toTensor().')
      return sample
    },
    shapeOf: sample => ('channels' in sample ? [sample.channels, sample.height, sample.width] : sample.shape),
    write(sample, into, offset) {
      if (!('channels' in sample)) return into.set(sample.data, offset)
      const { data, channels } = sample
      const output = into.subarray(offset, offset + data.length)
      kernels.applyLut(data.length / channels, channels, data, tableFor(channels), output)
    },
  }
}
