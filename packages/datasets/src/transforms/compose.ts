/** Several transforms as one. */
import { deriveSeed } from '@vitral/core/image'
import { Random } from '../random/random.ts'
import type { Sample, Transform } from '../types.ts'
import { specOf } from './define.ts'

/**
 * Applies transforms in their order (torchvision's Compose).
 *
 * @example
 * const transform = compose([resize(224), centerCrop(224), toTensor()])
 */
export function compose(transforms: readonly Transform[]): Transform {
  return {
    name: 'compose',
    args: [transforms.map(specOf)],
    apply: (sample, random) => applyAll(transforms, sample, random.below(2 ** 32)),
  }
}

/** Each transform draws from a stream of its own, so that what one draws does not move the others'. */
export function applyAll(transforms: readonly Transform[], sample: Sample, seed: number): Sample {
  let result = sample
  for (let i = 0; i < transforms.length; i++)
    result = (transforms[i] as Transform).apply(result, new Random(deriveSeed(seed, i)))
  return result
}
