import { checkInteger } from '@vitral/core/check'
import { checkInterpolation, type ProjectOptions } from '../../functional/project.ts'
import type { RawImage, Transform } from '../../types.ts'
import { imageTransform, mostCount } from '../define.ts'
import { applyEitherWay } from './augmentation-operations.ts'
import { type AugmentationSpace, augmentationSpace, none } from './augmentation-space.ts'

/** Settings of `randAugment`. */
export interface RandAugmentOptions extends ProjectOptions {
  /** How many operations, one after the other. @default 2 */
  numOps?: number
  /** Magnitude of every operation, from 0 to numMagnitudeBins − 1. @default 9 */
  magnitude?: number
  /** Steps from no change to the strongest. @default 31 */
  numMagnitudeBins?: number
}

export const randAugmentSpace: AugmentationSpace = [
  ['identity', none],
  ...augmentationSpace({
    shear: 0.3,
    translate: length => (150 / 331) * length,
    rotate: 30,
    color: 0.9,
    posterize: [8, 4],
  }),
]

/** A few operations drawn from 14, all of one magnitude (torchvision's RandAugment). RGB or grey. */
export function randAugment(options: RandAugmentOptions = {}): Transform<RawImage, RawImage> {
  const { numOps = 2, magnitude: step = 9, numMagnitudeBins: steps = 31 } = options
  checkInteger('randAugment: numOps', numOps, 1, mostCount)
  checkInteger('randAugment: numMagnitudeBins', steps, 2, mostCount)
  checkInteger('randAugment: magnitude', step, 0, steps - 1)
  checkInterpolation('randAugment', options.interpolation)
  return imageTransform('randAugment', [options], (image, random) => {
    let result = image
    for (let i = 0; i < numOps; i++) {
      const [name, magnitude] = randAugmentSpace[random.below(randAugmentSpace.length)] as AugmentationSpace[number]
      result = applyEitherWay(name, result, magnitude(step, steps, image), random, options)
    }
    return result
  })
}
