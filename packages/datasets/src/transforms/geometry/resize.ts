import { checkResize, type ResizeOptions, type ResizeSize, resize as resizeNow } from '../../functional/geometry.ts'
import type { RawImage, Transform } from '../../types.ts'
import { imageTransform } from '../define.ts'

/**
 * Resizes with PIL's antialiasing filters (torchvision's Resize).
 *
 * @param size [height, width], or a number for the shorter side
 */
export function resize(size: ResizeSize, options: ResizeOptions = {}): Transform<RawImage, RawImage> {
  checkResize('resize', size, options)
  return imageTransform('resize', [size, options], image => resizeNow(image, size, options))
}
