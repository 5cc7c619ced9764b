import { vflip } from '../../functional/geometry.ts'
import type { RawImage, Transform } from '../../types.ts'
import { checkNumber, imageTransform } from '../define.ts'

/** Mirrors top and bottom with a probability (torchvision's RandomVerticalFlip). */
export function randomVerticalFlip(probability = 0.5): Transform<RawImage, RawImage> {
  checkNumber('randomVerticalFlip', 'probability', probability, 0, 1)
  return imageTransform('randomVerticalFlip', [probability], (image, random) =>
    random.chance(probability) ? vflip(image) : image,
  )
}
