import { checkInteger } from '@vitral/core/check'
import { checkInterpolation, type ProjectOptions } from '../../functional/project.ts'
import type { RawImage, Transform } from '../../types.ts'
import { imageTransform, mostCount } from '../define.ts'
import { applyEitherWay } from './augmentation-operations.ts'
import { type AugmentationSpace, augmentationSpace, none } from './augmentation-space.ts'

/** Settings of `trivialAugmentWide`. */
export interface TrivialAugmentWideOptions extends ProjectOptions {
  /** Steps from no change to the strongest. @default 31 */
  numMagnitudeBins?: number
}

export const trivialAugmentWideSpace: AugmentationSpace = [
  ['identity', none],
  ...augmentationSpace({ shear: 0.99, translate: () => 32, rotate: 135, color: 0.99, posterize: [8, 2] }),
]

/** One operation drawn from 14, of a magnitude drawn too (torchvision's TrivialAugmentWide). RGB or grey. */
export function trivialAugmentWide(options: TrivialAugmentWideOptions = {}): Transform<RawImage, RawImage> {
  const { numMagnitudeBins: steps = 31 } = options
  checkInteger('trivialAugmentWide: numMagnitudeBins', steps, 2, mostCount)
  checkInterpolation('trivialAugmentWide', options.interpolation)
  return imageTransform('trivialAugmentWide', [options], (image, random) => {
    const [name, magnitude] = trivialAugmentWideSpace[
      random.below(trivialAugmentWideSpace.length)
    ] as AugmentationSpace[number]
    return applyEitherWay(name, image, magnitude(random.below(steps), steps, image), random, options)
  })
}
