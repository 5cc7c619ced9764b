/** Borders around images: torchvision's pad, with its modes. */
import { checkImage } from '@vitral/core/image'
import type { RawImage } from '../types.ts'
import { checkOneOf } from './checks.ts'

/** One number for all sides, [left and right, top and bottom], or [left, top, right, bottom]. */
export type Padding = number | readonly [number, number] | readonly [number, number, number, number]

/** A byte for all channels, or one for each. */
export type Fill = number | readonly number[]

/**
 * What a border shows: one colour, the edge's pixels drawn out, or the image mirrored, at its edge ('symmetric') or at
 * its outermost pixels, which are then not repeated ('reflect').
 */
export type PaddingMode = 'constant' | 'edge' | 'reflect' | 'symmetric'

/** Settings of `pad`. */
export interface PadOptions {
  /** Colour of a constant border. @default 0 */
  fill?: Fill
  /** What the padding shows. @default 'constant' */
  paddingMode?: PaddingMode
}

/** Where a position outside of 0 to length − 1 takes its pixel from. */
const sources = { edge, reflect, symmetric }

function edge(position: number, length: number): number {
  return Math.min(length - 1, Math.max(0, position))
}

export function reflect(position: number, length: number): number {
  const period = Math.max(1, 2 * length - 2)
  const along = modulo(position, period)
  return along < length ? along : period - along
}

function symmetric(position: number, length: number): number {
  const along = modulo(position, 2 * length)
  return along < length ? along : 2 * length - 1 - along
}

export const paddingModes: readonly PaddingMode[] = ['constant', 'edge', 'reflect', 'symmetric']

/** Adds a border. */
export function pad(
  image: RawImage,
  padding: Padding,
  { fill = 0, paddingMode = 'constant' }: PadOptions = {},
): RawImage {
  checkImage(image)
  checkPadding('pad', padding)
  const [left, top, right, bottom] = allSides(padding)
  checkOneOf('pad', 'paddingMode', paddingMode, paddingModes)
  const { channels } = image
  const [width, height] = [image.width + left + right, image.height + top + bottom]
  const padded: RawImage = { data: new Uint8Array(width * height * channels), width, height, channels }
  if (paddingMode === 'constant') {
    if (fill !== 0) flood(padded, fill)
    paste(image, padded, left, top)
    return padded
  }
  const source = sources[paddingMode]
  const columns = Int32Array.from({ length: width }, (_, x) => source(x - left, image.width) * channels)
  for (let y = 0, out = 0; y < height; y++) {
    const row = source(y - top, image.height) * image.width * channels
    for (let x = 0; x < width; x++) {
      const from = row + (columns[x] as number)
      for (let c = 0; c < channels; c++) padded.data[out++] = image.data[from + c] as number
    }
  }
  return padded
}

/** @throws when it is none of the three ways to say it, or has what is no number of pixels */
export function checkPadding(name: string, padding: Padding): void {
  const sides = typeof padding === 'number' ? [padding, padding] : Array.isArray(padding) ? padding : []
  if ((sides.length === 2 || sides.length === 4) && sides.every(side => Number.isInteger(side) && side >= 0)) return
  const given = typeof padding === 'number' ? padding : JSON.stringify(padding)
  throw new Error(
    `${name}: padding is ${given}; expected a whole number of pixels, at least 0, or 2 of them (left and right, top and bottom), or 4 (left, top, right, bottom).`,
  )
}

/** @throws when it has what is no byte; whether there is one for each channel only the image tells */
export function checkFill(name: string, fill: Fill): void {
  const color = typeof fill === 'number' ? [fill] : fill
  if (color.length > 0 && color.every(byte => Number.isInteger(byte) && byte >= 0 && byte <= 255)) return
  throw new Error(`${name}: fill is ${JSON.stringify(fill)}; expected a byte, or one for each channel.`)
}

export const allSides = (padding: Padding): readonly [number, number, number, number] => {
  if (typeof padding === 'number') return [padding, padding, padding, padding]
  if (padding.length === 4) return padding
  const [horizontal, vertical] = padding
  return [horizontal, vertical, horizontal, vertical]
}

/**
 * Gives every pixel of an image that is being made the same colour.
 *
 * @throws when there is neither one byte nor one for each channel
 */
export function flood({ data, channels }: RawImage, fill: Fill): void {
  const color = typeof fill === 'number' ? [fill] : fill
  if (typeof fill !== 'number' && fill.length !== channels) throw wrongFill(fill, channels)
  if (color.some(byte => !Number.isInteger(byte) || byte < 0 || byte > 255)) throw wrongFill(fill, channels)
  if (typeof fill === 'number') data.fill(fill)
  else for (let i = 0; i < data.length; i += channels) data.set(color, i)
}

const wrongFill = (fill: Fill, channels: number): Error =>
  new Error(`fill is ${JSON.stringify(fill)}; expected a byte, or ${channels} for ${channels} channels.`)

function paste(image: RawImage, into: RawImage, left: number, top: number): void {
  const length = image.width * image.channels
  for (let y = 0; y < image.height; y++)
    into.data.set(image.data.subarray(y * length, (y + 1) * length), ((y + top) * into.width + left) * image.channels)
}

const modulo = (value: number, period: number): number => ((value % period) + period) % period
