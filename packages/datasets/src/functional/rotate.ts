/** Rotation about the center, as PIL's Image.rotate: the same rounding, so the same bytes. */
import type { RawImage } from '../types.ts'
import { type Fill, fillColor, hflip, vflip } from './geometry.ts'

export interface RotateOptions {
  /** @default 'nearest' */
  interpolation?: 'nearest' | 'bilinear'
  /** Colour of what comes from outside the image. @default 0 */
  fill?: Fill
}

/** From the output's pixel (x, y) to the input's: [a·x + b·y + c, d·x + e·y + f]. */
type Affine = readonly [a: number, b: number, c: number, d: number, e: number, f: number]

/**
 * Rotates counter-clockwise; the size stays, so corners are cut.
 *
 * @param degrees any finite number
 */
export function rotate(
  image: RawImage,
  degrees: number,
  { interpolation = 'nearest', fill = 0 }: RotateOptions = {},
): RawImage {
  if (!Number.isFinite(degrees)) throw new Error(`rotate: degrees is ${degrees}; expected a finite number.`)
  if (interpolation !== 'nearest' && interpolation !== 'bilinear')
    throw new Error(`rotate: interpolation is '${interpolation}'; expected 'nearest' or 'bilinear'.`)
  const angle = ((degrees % 360) + 360) % 360
  // Quarter turns move pixels whole; the general way would lose a row to rounding.
  if (angle === 0) return image
  if (angle === 180) return vflip(hflip(image))
  if (image.width === image.height && angle === 90) return vflip(transpose(image))
  if (image.width === image.height && angle === 270) return hflip(transpose(image))
  const rotated = { ...image, data: new Uint8Array(image.data.length) }
  if (fill !== 0) {
    const color = fillColor(fill, image.channels)
    for (let i = 0; i < rotated.data.length; i += image.channels) rotated.data.set(color, i)
  }
  samplers[interpolation](image, rotated, aboutCenter(image, angle))
  return rotated
}

const samplers = { nearest, bilinear }

function transpose({ data: source, width, height, channels }: RawImage): RawImage {
  const data = new Uint8Array(source.length)
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let c = 0; c < channels; c++) data[(x * height + y) * channels + c] = source[i++] as number
  return { data, width: height, height: width, channels }
}

function aboutCenter({ width, height }: RawImage, degrees: number): Affine {
  const angle = -(degrees * Math.PI) / 180
  const [cos, sin] = [round15(Math.cos(angle)), round15(Math.sin(angle))]
  const [x, y] = [width / 2, height / 2]
  return [cos, sin, cos * -x + sin * -y + x, -sin, cos, -sin * -x + cos * -y + y]
}

/** PIL rounds to 15 decimals, so that multiples of 90° are exact. */
const round15 = (value: number): number => Number(value.toFixed(15))

/** Positions step in 16.16 fixed point from the center of the first pixel. */
function nearest(image: RawImage, rotated: RawImage, [a, b, c, d, e, f]: Affine): void {
  const { data: source, width, height, channels } = image
  const { data } = rotated
  const fixed = (value: number): number => Math.floor(value * 65536 + 0.5)
  const [stepX, stepY] = [fixed(a), fixed(d)]
  const [rowX, rowY] = [fixed(b), fixed(e)]
  let startX = fixed(c + a * 0.5 + b * 0.5)
  let startY = fixed(f + d * 0.5 + e * 0.5)
  for (let y = 0, out = 0; y < height; y++, startX += rowX, startY += rowY)
    for (let x = 0, fromX = startX, fromY = startY; x < width; x++, fromX += stepX, fromY += stepY, out += channels) {
      const column = fromX >> 16
      const row = fromY >> 16
      if (column < 0 || column >= width || row < 0 || row >= height) continue
      const from = (row * width + column) * channels
      for (let k = 0; k < channels; k++) data[out + k] = source[from + k] as number
    }
}

/** Positions are exact; the mean of four neighbours, clamped to the image, is cut to a byte, not rounded. */
function bilinear(image: RawImage, rotated: RawImage, [a, b, c, d, e, f]: Affine): void {
  const { data: source, width, height, channels } = image
  const { data } = rotated
  for (let y = 0, out = 0; y < height; y++)
    for (let x = 0; x < width; x++, out += channels) {
      const fromX = a * (x + 0.5) + b * (y + 0.5) + c
      const fromY = d * (x + 0.5) + e * (y + 0.5) + f
      if (fromX < 0 || fromX >= width || fromY < 0 || fromY >= height) continue
      const column = Math.floor(fromX - 0.5)
      const row = Math.floor(fromY - 0.5)
      const alongX = fromX - 0.5 - column
      const alongY = fromY - 0.5 - row
      const left = Math.max(column, 0) * channels
      const right = Math.min(column + 1, width - 1) * channels
      const upper = Math.max(row, 0) * width * channels
      const lower = Math.min(row + 1, height - 1) * width * channels
      for (let k = 0; k < channels; k++) {
        const top = mix(source[upper + left + k] as number, source[upper + right + k] as number, alongX)
        const bottom = mix(source[lower + left + k] as number, source[lower + right + k] as number, alongX)
        data[out + k] = mix(top, bottom, alongY)
      }
    }
}

const mix = (a: number, b: number, share: number): number => a + (b - a) * share
