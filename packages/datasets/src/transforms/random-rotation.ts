import { type RotateOptions, rotate } from '../functional/rotate.ts'
import type { RawImage, Transform } from '../types.ts'
import { imageTransform } from './define.ts'

/**
 * Rotates by an angle drawn uniformly (torchvision's RandomRotation).
 *
 * @param degrees the largest angle either way, or [least, most]
 */
export function randomRotation(
  degrees: number | readonly [least: number, most: number],
  options: RotateOptions = {},
): Transform<RawImage, RawImage> {
  const [least, most] = typeof degrees === 'number' ? [-degrees, degrees] : degrees
  if (!(Number.isFinite(least) && Number.isFinite(most) && least <= most))
    throw new Error(
      `randomRotation: degrees is ${JSON.stringify(degrees)}; expected a positive number or [least, most].`,
    )
  return imageTransform('randomRotation', [degrees, options], (image, random) =>
    rotate(image, random.uniform(least, most), options),
  )
}
