import { checkOneOf } from '../../functional/checks.ts'
import { checkInterpolation, type ProjectOptions } from '../../functional/project.ts'
import type { RawImage, Transform } from '../../types.ts'
import { imageTransform } from '../define.ts'
import { applyOperation, isSigned } from './augmentation-operations.ts'
import { type AugmentationSpace, augmentationSpace, none } from './augmentation-space.ts'
import { type AutoAugmentPolicy, autoAugmentPolicies, type SubPolicy } from './auto-augment-policies.ts'

/** Settings of `autoAugment`. */
export interface AutoAugmentOptions extends ProjectOptions {
  /** The data set for which it was learned. @default 'imagenet' */
  policy?: AutoAugmentPolicy
}

export const autoAugmentSpace: AugmentationSpace = augmentationSpace({
  shear: 0.3,
  translate: length => (150 / 331) * length,
  rotate: 30,
  color: 0.9,
  posterize: [8, 4],
})
const magnitudes = Object.fromEntries(autoAugmentSpace)
const steps = 10

/** One of 25 learned pairs of operations, each with its own probability (torchvision's AutoAugment). RGB or grey. */
export function autoAugment(options: AutoAugmentOptions = {}): Transform<RawImage, RawImage> {
  const { policy = 'imagenet' } = options
  checkOneOf('autoAugment', 'policy', policy, Object.keys(autoAugmentPolicies))
  checkInterpolation('autoAugment', options.interpolation)
  const subPolicies = autoAugmentPolicies[policy]
  return imageTransform('autoAugment', [options], (image, random) => {
    let result = image
    for (const [name, probability, step] of subPolicies[random.below(subPolicies.length)] as SubPolicy) {
      const applied = random.chance(probability)
      const opposite = random.chance(0.5) && isSigned(name)
      if (!applied) continue
      const magnitude = step === undefined ? 0 : (magnitudes[name] ?? none)(step, steps, image)
      result = applyOperation(name, result, opposite ? -magnitude : magnitude, options)
    }
    return result
  })
}
