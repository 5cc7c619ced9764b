import type { BatchTransform } from '../../types.ts'
import { checkNumber } from '../define.ts'
import { cutMix } from './cut-mix.ts'
import { mixUp } from './mix-up.ts'

/** Settings of `mixUpOrCutMix`. */
export interface MixUpOrCutMixOptions {
  /** α of MixUp's Beta distribution. @default 0.8 */
  mixUpAlpha?: number
  /** α of CutMix's Beta distribution. @default 1 */
  cutMixAlpha?: number
  /** Probability that a batch is mixed; its labels are soft in any case. @default 1 */
  probability?: number
  /** Probability that a mixed batch uses CutMix. @default 0.5 */
  switchProbability?: number
}

/** MixUp or CutMix for each batch, as timm's Mixup in batch mode; the defaults are those with which DeiT was trained. */
export function mixUpOrCutMix(options: MixUpOrCutMixOptions = {}): BatchTransform {
  const { mixUpAlpha = 0.8, cutMixAlpha = 1, probability = 1, switchProbability = 0.5 } = options
  checkNumber('mixUpOrCutMix', 'switchProbability', switchProbability, 0, 1)
  const blend = mixUp({ alpha: mixUpAlpha, probability })
  const cut = cutMix({ alpha: cutMixAlpha, probability })
  return {
    name: 'mixUpOrCutMix',
    args: [options],
    apply: (batch, random, numClasses) =>
      (random.chance(switchProbability) ? cut : blend).apply(batch, random, numClasses),
  }
}
