import { hflip } from '../../functional/geometry.ts'
import type { RawImage, Transform } from '../../types.ts'
import { checkNumber, imageTransform } from '../define.ts'

/** Mirrors left and right with a probability (torchvision's RandomHorizontalFlip). */
export function randomHorizontalFlip(probability = 0.5): Transform<RawImage, RawImage> {
  checkNumber('randomHorizontalFlip', 'probability', probability, 0, 1)
  return imageTransform('randomHorizontalFlip', [probability], (image, random) =>
    random.chance(probability) ? hflip(image) : image,
  )
}
