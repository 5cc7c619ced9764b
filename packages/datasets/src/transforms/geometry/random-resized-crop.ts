import type { ResizeOptions } from '@vitral/core/image'
import { checkResize, resizedCrop } from '../../functional/geometry.ts'
import type { RawImage, Transform } from '../../types.ts'
import { aboveZero, checkRange, imageTransform } from '../define.ts'
import { drawRectangle, type Rectangle } from './draw-rectangle.ts'

/** Ranges of `randomResizedCrop`. */
export interface RandomResizedCropOptions extends ResizeOptions {
  /** Area of the rectangle, as parts of the image's. @default [0.08, 1] */
  scale?: readonly [low: number, high: number]
  /** Width of the rectangle divided by its height. @default [3/4, 4/3] */
  ratio?: readonly [low: number, high: number]
}

/**
 * A rectangle of random size and shape from anywhere in the image, resized (torchvision's RandomResizedCrop).
 *
 * @param size a number for a square, or [height, width]
 */
export function randomResizedCrop(
  size: number | readonly [height: number, width: number],
  options: RandomResizedCropOptions = {},
): Transform<RawImage, RawImage> {
  const { scale = [0.08, 1], ratio = [3 / 4, 4 / 3] } = options
  const [height, width] = typeof size === 'number' ? [size, size] : size
  checkResize('randomResizedCrop', size, { interpolation: options.interpolation })
  checkRange('randomResizedCrop', 'scale', scale, aboveZero)
  checkRange('randomResizedCrop', 'ratio', ratio, aboveZero)
  return imageTransform('randomResizedCrop', [size, options], (image, random) => {
    const part = drawRectangle(random, image, { scale, ratio }) ?? middle(image, ratio)
    return resizedCrop(image, part.top, part.left, part.height, part.width, [height, width], options)
  })
}

/** The largest rectangle in the middle whose shape is within the range. */
function middle({ width, height }: RawImage, [narrowest, widest]: readonly [number, number]): Rectangle {
  const shape = width / height
  const part = { width, height }
  if (shape < narrowest) part.height = Math.round(width / narrowest)
  else if (shape > widest) part.width = Math.round(height * widest)
  return { ...part, top: Math.floor((height - part.height) / 2), left: Math.floor((width - part.width) / 2) }
}
