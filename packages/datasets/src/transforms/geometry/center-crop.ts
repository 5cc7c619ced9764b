import { type CenterCropOptions, centerCrop as centerCropNow, checkCenterCrop } from '../../functional/geometry.ts'
import type { RawImage, Transform } from '../../types.ts'
import { imageTransform } from '../define.ts'

/**
 * The middle of the image; a smaller image is padded with black (torchvision's CenterCrop, and with the rounding 'floor'
 * that of transformers' image processors).
 *
 * @param size a number for a square, or [height, width]
 */
export function centerCrop(
  size: number | readonly [height: number, width: number],
  options: CenterCropOptions = {},
): Transform<RawImage, RawImage> {
  checkCenterCrop('centerCrop', size, options)
  const args = options.rounding === undefined ? [size] : [size, options]
  return imageTransform('centerCrop', args, image => centerCropNow(image, size, options))
}
