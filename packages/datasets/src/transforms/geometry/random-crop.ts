import { checkOneOf, checkPixels } from '../../functional/checks.ts'
import { crop } from '../../functional/geometry.ts'
import { checkFill, checkPadding, type Padding, type PadOptions, pad, paddingModes } from '../../functional/pad.ts'
import type { RawImage, Transform } from '../../types.ts'
import { imageTransform } from '../define.ts'

/** Settings of `randomCrop`. */
export interface RandomCropOptions extends PadOptions {
  /** Border added first. @default 0 */
  padding?: Padding
  /** Adds a border to an image that is too small, on both sides as much as it lacks, instead of failing. @default false */
  padIfNeeded?: boolean
}

/**
 * A rectangle of fixed size from anywhere in the padded image (torchvision's RandomCrop).
 *
 * @param size a number for a square, or [height, width]
 */
export function randomCrop(
  size: number | readonly [height: number, width: number],
  { padding = 0, padIfNeeded = false, fill = 0, paddingMode = 'constant' }: RandomCropOptions = {},
): Transform<RawImage, RawImage> {
  const [height, width] = typeof size === 'number' ? [size, size] : size
  checkPixels('randomCrop', size)
  checkPadding('randomCrop', padding)
  checkFill('randomCrop', fill)
  checkOneOf('randomCrop', 'paddingMode', paddingMode, paddingModes)
  const options = { padding, padIfNeeded, fill, paddingMode }
  const black = paddingMode === 'constant' && fill === 0
  return imageTransform('randomCrop', [size, options], (image, random) => {
    // Crop itself gives black outside the image, so an even black border is never made.
    const border = typeof padding === 'number' && black && !padIfNeeded ? padding : 0
    let padded = border === padding ? image : pad(image, padding, options)
    if (padIfNeeded) {
      if (padded.width < width) padded = pad(padded, [width - padded.width, 0], options)
      if (padded.height < height) padded = pad(padded, [0, height - padded.height], options)
    }
    const rows = padded.height + 2 * border - height
    const columns = padded.width + 2 * border - width
    if (rows < 0 || columns < 0)
      throw new Error(
        `randomCrop: the image is ${padded.width + 2 * border}×${padded.height + 2 * border} with its padding; expected at least ${width}×${height}, or padIfNeeded.`,
      )
    return crop(padded, random.below(rows + 1) - border, random.below(columns + 1) - border, height, width)
  })
}
