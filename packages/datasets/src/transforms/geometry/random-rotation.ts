import { checkRotation, type RotateOptions, rotate } from '../../functional/rotate.ts'
import type { RawImage, Transform } from '../../types.ts'
import { type Degrees, degreesRange, imageTransform } from '../define.ts'

/**
 * Rotates by an angle drawn uniformly (torchvision's RandomRotation).
 *
 * @param degrees the largest angle either way, or [low, high]
 */
export function randomRotation(degrees: Degrees, options: RotateOptions = {}): Transform<RawImage, RawImage> {
  const [low, high] = degreesRange('randomRotation', 'degrees', degrees)
  checkRotation('randomRotation', options)
  return imageTransform('randomRotation', [degrees, options], (image, random) =>
    rotate(image, random.uniform(low, high), options),
  )
}
