/** Parts of an image, and its middle. */
import { checkImage, type RawImage } from './raw-image.ts'

/**
 * Where the middle begins when the rest is odd: 'even' rounds half of it to the even number, and pads a smaller image
 * with the odd pixel after it (torchvision, and the Fast image processors of transformers 4); 'floor' always down
 * (transformers' image processors of PIL, and transformers.js). A crop of 8 out of 11 begins at 2 or at 1.
 */
export type CropRounding = 'even' | 'floor'

/** All roundings of a centre crop. */
export const cropRoundings: readonly CropRounding[] = ['even', 'floor']

/**
 * The rectangle whose corner is (top, left); what lies outside of the image is black.
 *
 * @param image any number of channels
 */
export function cropImage(image: RawImage, top: number, left: number, height: number, width: number): RawImage {
  checkImage(image)
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

/** The middle of the image; a smaller image is padded with black. */
export function centerCropImage(
  image: RawImage,
  [height, width]: readonly [height: number, width: number],
  rounding: CropRounding = 'even',
): RawImage {
  const top = centerStart(image.height, height, rounding)
  return cropImage(image, top, centerStart(image.width, width, rounding), height, width)
}

/** Where the middle begins along one side: below 0 where the image is smaller. */
export function centerStart(available: number, wanted: number, rounding: CropRounding): number {
  const difference = available - wanted
  const half = Math.floor(difference / 2)
  if (rounding === 'floor' || difference % 2 === 0) return half
  return difference < 0 || half % 2 === 1 ? half + 1 : half
}
