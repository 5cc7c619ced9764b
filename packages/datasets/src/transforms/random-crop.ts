import { crop, type Fill, type Padding, pad } from '../functional/geometry.ts'
import type { RawImage, Transform } from '../types.ts'
import { checkNumber, imageTransform } from './define.ts'

export interface RandomCropOptions {
  /** Border added first. @default 0 */
  padding?: Padding
  /** Its colour. @default 0 */
  fill?: Fill
}

/**
 * A rectangle of fixed size from anywhere in the padded image (torchvision's RandomCrop).
 *
 * @param size a number for a square, or [height, width]
 */
export function randomCrop(
  size: number | readonly [height: number, width: number],
  { padding = 0, fill = 0 }: RandomCropOptions = {},
): Transform<RawImage, RawImage> {
  const [height, width] = typeof size === 'number' ? [size, size] : size
  for (const length of [height, width]) checkNumber('randomCrop', 'size', length, 1)
  return imageTransform('randomCrop', [size, { padding, fill }], (image, random) => {
    // Crop itself gives black outside the image, so an even black border is never made.
    const border = typeof padding === 'number' && fill === 0 ? padding : 0
    const padded = border === padding ? image : pad(image, padding, { fill })
    const rows = padded.height + 2 * border - height
    const columns = padded.width + 2 * border - width
    if (rows < 0 || columns < 0)
      throw new Error(
        `randomCrop: the image is ${padded.width + 2 * border}×${padded.height + 2 * border} with its padding; expected at least ${width}×${height}.`,
      )
    return crop(padded, random.below(rows + 1) - border, random.below(columns + 1) - border, height, width)
  })
}
