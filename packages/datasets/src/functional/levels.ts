/** Changes of each byte by itself, through a table of 256: PIL's ImageOps. */
import { checkInteger } from '@vitral/core/check'
import { checkImage } from '@vitral/core/image'
import type { RawImage } from '../types.ts'

/** Every byte v becomes 255 − v. */
export function invert(image: RawImage): RawImage {
  return applyTables(image, [tableOf(value => 255 - value)])
}

/**
 * Keeps the upper bits of every byte, the others become 0.
 *
 * @param bits how many, from 0 to 8
 */
export function posterize(image: RawImage, bits: number): RawImage {
  checkInteger('posterize: bits', bits, 0, 8)
  const mask = 256 - 2 ** (8 - bits)
  return applyTables(image, [tableOf(value => value & mask)])
}

/** Inverts the bytes from the threshold on. */
export function solarize(image: RawImage, threshold: number): RawImage {
  if (!(threshold >= 0 && threshold <= 256))
    throw new Error(`solarize: threshold is ${threshold}; expected a number from 0 to 256.`)
  return applyTables(image, [tableOf(value => (value < threshold ? value : 255 - value))])
}

/** Stretches each channel, so that its darkest byte becomes 0 and its lightest 255. */
export function autocontrast(image: RawImage): RawImage {
  return applyTables(image, histograms(image).map(stretched))
}

/** Spreads each channel's bytes so that all are about equally frequent. */
export function equalize(image: RawImage): RawImage {
  return applyTables(image, histograms(image).map(equalized))
}

function stretched(histogram: Uint32Array): Uint8Array {
  const darkest = histogram.findIndex(count => count > 0)
  const lightest = histogram.findLastIndex(count => count > 0)
  if (lightest <= darkest) return unchanged
  const scale = 255 / (lightest - darkest)
  const offset = -darkest * scale
  return tableOf(value => Math.min(255, Math.max(0, value * scale + offset)))
}

/** The lightest byte's count is left out of the step, so that it alone becomes 255. */
function equalized(histogram: Uint32Array): Uint8Array {
  const total = histogram.reduce((sum, count) => sum + count, 0)
  const lightest = histogram[histogram.findLastIndex(count => count > 0)] as number
  const step = Math.floor((total - lightest) / 255)
  if (step === 0) return unchanged
  let sum = Math.floor(step / 2)
  return tableOf(value => {
    const level = Math.floor(sum / step)
    sum += histogram[value] as number
    return Math.min(255, level)
  })
}

const tableOf = (level: (value: number) => number): Uint8Array => Uint8Array.from({ length: 256 }, (_, i) => level(i))

const unchanged = tableOf(value => value)

function histograms(image: RawImage): Uint32Array[] {
  checkImage(image)
  const { data, channels } = image
  return Array.from({ length: channels }, (_, channel) => {
    const histogram = new Uint32Array(256)
    for (let i = channel; i < data.length; i += channels) {
      const value = data[i] as number
      histogram[value] = (histogram[value] as number) + 1
    }
    return histogram
  })
}

/** @param tables one for each channel, or one for all */
function applyTables(image: RawImage, tables: readonly Uint8Array[]): RawImage {
  checkImage(image)
  const { data: source } = image
  const data = new Uint8Array(source.length)
  const step = tables.length
  for (let first = 0; first < step; first++) {
    const table = tables[first] as Uint8Array
    for (let i = first; i < data.length; i += step) data[i] = table[source[i] as number] as number
  }
  return { ...image, data }
}
