/** Moving pixels without changing them, and resizing: torchvision.transforms.functional on PIL images, bit for bit. */
import { type Interpolation, type ResizeOptions as InterpolationOptions, resizeImage } from '@vitral/core/image'
import type { RawImage } from '../types.ts'
import { checkOneOf, checkPixels, checkSize, checkWhole } from './checks.ts'
import { kernels } from './kernels/kernels.ts'

/** A number for the shorter side (the other keeps the proportions), or [height, width]. */
export type ResizeSize = number | readonly [height: number, width: number]

export interface ResizeOptions extends InterpolationOptions {
  /**
   * Of the longer side, where `size` is the shorter side's: an image that would be longer is made so long, and its shorter
   * side shorter than `size`. @default no limit
   */
  maxSize?: number
}

/** Resizes with PIL's antialiasing filters; see core's resizeImage. The same image when the size is the same. */
export function resize(
  image: RawImage,
  size: ResizeSize,
  { interpolation = 'bilinear', maxSize }: ResizeOptions = {},
): RawImage {
  checkResize('resize', size, { interpolation, maxSize })
  const [height, width] = typeof size === 'number' ? proportionalSize(image, size, maxSize) : size
  if (height === image.height && width === image.width) return image
  if (interpolation === 'nearest') return resizeImage(image, [height, width], { interpolation })
  checkSize('resize', { height, width })
  const data = new Uint8Array(height * width * image.channels)
  const bicubic = interpolation === 'bicubic'
  kernels.resizeImage(image.height, image.width, image.channels, image.data, height, width, bicubic, data)
  return { data, width, height, channels: image.channels }
}

const interpolations: readonly Interpolation[] = ['nearest', 'bilinear', 'bicubic']

/** @throws naming what cannot be resized to: a size that is none, or an interpolation that there is not */
export function checkResize(
  name: string,
  size: ResizeSize,
  { interpolation = 'bilinear', maxSize }: ResizeOptions,
): void {
  checkPixels(name, size)
  checkOneOf(name, 'interpolation', interpolation, interpolations)
  if (maxSize === undefined) return
  if (typeof size !== 'number')
    throw new Error(`${name}: maxSize is ${maxSize}, but size is [height, width]; expected the shorter side's size.`)
  if (!Number.isInteger(maxSize) || maxSize <= size)
    throw new Error(`${name}: maxSize is ${maxSize}; expected a whole number of pixels above the size, ${size}.`)
}

function proportionalSize(
  { width, height }: RawImage,
  shorterSide: number,
  maxSize = Infinity,
): [height: number, width: number] {
  const isTall = width <= height
  let short = shorterSide
  let long = Math.trunc((shorterSide * Math.max(width, height)) / Math.min(width, height))
  if (long > maxSize) [short, long] = [Math.trunc((maxSize * short) / long), maxSize]
  return isTall ? [long, short] : [short, long]
}

/** The rectangle whose corner is (top, left); what lies outside the image is black. */
export function crop(image: RawImage, top: number, left: number, height: number, width: number): RawImage {
  checkWhole('crop', { top, left })
  checkSize('crop', { height, width })
  const { data: source, channels } = image
  const data = new Uint8Array(height * width * channels)
  const firstColumn = Math.max(0, left)
  const length = (Math.min(image.width, left + width) - firstColumn) * channels
  const firstRow = Math.max(0, top)
  const lastRow = Math.min(image.height, top + height)
  if (length > 0)
    for (let y = firstRow; y < lastRow; y++) {
      const from = (y * image.width + firstColumn) * channels
      data.set(source.subarray(from, from + length), ((y - top) * width + firstColumn - left) * channels)
    }
  return { data, width, height, channels }
}

/** The middle of the image; a smaller image is padded with black first. */
export function centerCrop(image: RawImage, size: number | readonly [height: number, width: number]): RawImage {
  checkPixels('centerCrop', size)
  const [height, width] = typeof size === 'number' ? [size, size] : size
  return crop(image, centerStart(image.height, height), centerStart(image.width, width), height, width)
}

/** Halves are rounded to even, as Python rounds; padding puts its odd pixel after the image. */
function centerStart(available: number, wanted: number): number {
  const difference = available - wanted
  if (difference < 0) return -Math.floor(-difference / 2)
  const half = Math.floor(difference / 2)
  return difference % 2 === 1 && half % 2 === 1 ? half + 1 : half
}

/** Mirrors left and right. */
export function hflip(image: RawImage): RawImage {
  const { data: source, width, height, channels } = image
  const data = new Uint8Array(source.length)
  kernels.flipRows(height, width, channels, source, data)
  return { data, width, height, channels }
}

/** Mirrors top and bottom. */
export function vflip(image: RawImage): RawImage {
  const { data: source, width, height, channels } = image
  const rowLength = width * channels
  const data = new Uint8Array(source.length)
  for (let y = 0; y < height; y++)
    data.set(source.subarray(y * rowLength, (y + 1) * rowLength), (height - 1 - y) * rowLength)
  return { data, width, height, channels }
}

/** A crop, resized. */
export function resizedCrop(
  image: RawImage,
  top: number,
  left: number,
  height: number,
  width: number,
  size: ResizeSize,
  options?: InterpolationOptions,
): RawImage {
  return resize(crop(image, top, left, height, width), size, options)
}
