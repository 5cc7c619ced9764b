/** Moving pixels without changing them, and resizing: torchvision.transforms.functional on PIL images, bit for bit. */
import {
  type CropRounding,
  centerCropImage,
  checkImage,
  cropImage,
  cropRoundings,
  type ResizeOptions as InterpolationOptions,
  interpolations,
  resizeImage,
  shortestEdgeSize,
} from '@vitral/core/image'
import type { RawImage } from '../types.ts'
import { checkIntegers, checkOneOf, checkPixels } from './checks.ts'
import { kernels } from './kernels/kernels.ts'

/** A number for the shorter side (the other keeps the proportions), or [height, width]. */
export type ResizeSize = number | readonly [height: number, width: number]

/** Settings of `resize`. */
export interface ResizeOptions extends InterpolationOptions {
  /**
   * Upper limit of the longer side, where `size` is the shorter side's: an image that would be longer is made so long, and its shorter
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
  checkImage(image)
  checkResize('resize', size, { interpolation, maxSize })
  const [height, width] = typeof size === 'number' ? shortestEdgeSize(image, size, maxSize) : size
  if (height === image.height && width === image.width) return image
  if (interpolation === 'nearest') return resizeImage(image, [height, width], { interpolation })
  checkIntegers('resize', { height, width }, 1)
  const data = new Uint8Array(height * width * image.channels)
  const filter = interpolations.indexOf(interpolation)
  kernels.resizeImage(image.height, image.width, image.channels, image.data, height, width, filter, data)
  return { data, width, height, channels: image.channels }
}

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

/** The rectangle whose corner is (top, left); what lies outside the image is black. */
export function crop(image: RawImage, top: number, left: number, height: number, width: number): RawImage {
  checkIntegers('crop', { top, left })
  checkIntegers('crop', { height, width }, 1)
  return cropImage(image, top, left, height, width)
}

/** Settings of `centerCrop`. */
export interface CenterCropOptions {
  /** Where the middle begins when the rest is odd; see CropRounding. @default 'even', torchvision's */
  rounding?: CropRounding
}

/** The middle of the image; a smaller image is padded with black first. */
export function centerCrop(
  image: RawImage,
  size: number | readonly [height: number, width: number],
  { rounding = 'even' }: CenterCropOptions = {},
): RawImage {
  checkCenterCrop('centerCrop', size, { rounding })
  return centerCropImage(image, typeof size === 'number' ? [size, size] : size, rounding)
}

/** @throws naming what cannot be cropped to: a size that is none, or a rounding that there is not */
export function checkCenterCrop(
  name: string,
  size: number | readonly number[],
  { rounding = 'even' }: CenterCropOptions,
): void {
  checkPixels(name, size)
  checkOneOf(name, 'rounding', rounding, cropRoundings)
}

/** Mirrors left and right. */
export function hflip(image: RawImage): RawImage {
  checkImage(image)
  const { data: source, width, height, channels } = image
  const data = new Uint8Array(source.length)
  kernels.flipRows(height, width, channels, source, data)
  return { data, width, height, channels }
}

/** Mirrors top and bottom. */
export function vflip(image: RawImage): RawImage {
  checkImage(image)
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
