import { checkPixels } from '../functional/checks.ts'
import { centerCrop as centerCropNow } from '../functional/geometry.ts'
import type { RawImage, Transform } from '../types.ts'
import { imageTransform } from './define.ts'

/**
 * The middle of the image; a smaller image is padded with black (torchvision's CenterCrop).
 *
 * @param size a number for a square, or [height, width]
 */
export function centerCrop(size: number | readonly [height: number, width: number]): Transform<RawImage, RawImage> {
  checkPixels('centerCrop', size)
  return imageTransform('centerCrop', [size], image => centerCropNow(image, size))
}
