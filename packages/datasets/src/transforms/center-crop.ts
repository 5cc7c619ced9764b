import { centerCrop as centerCropNow } from '../functional/geometry.ts'
import type { RawImage, Transform } from '../types.ts'
import { checkNumber, imageTransform } from './define.ts'

/**
 * The middle of the image; a smaller image is padded with black (torchvision's CenterCrop).
 *
 * @param size a number for a square, or [height, width]
 */
export function centerCrop(size: number | readonly [height: number, width: number]): Transform<RawImage, RawImage> {
  for (const length of typeof size === 'number' ? [size] : size) checkNumber('centerCrop', 'size', length, 1)
  return imageTransform('centerCrop', [size], image => centerCropNow(image, size))
}
