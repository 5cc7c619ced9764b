import type { BatchTransform } from '../../types.ts'
import { checkNumber } from '../define.ts'
import { cutMix } from './cut-mix.ts'
import { mixUp } from './mix-up.ts'

export interface MixUpOrCutMixOptions {
  /** @default 0.8 */
  mixUpAlpha?: number
  /** @default 1 */
  cutMixAlpha?: number
  /** That a batch is mixed; its labels are soft in any case. @default 1 */
  probability?: number
  /** That a mixed batch is by CutMix. @default 0.5 */
  switchProbability?: number
}

/** Of each batch one of the two, as timm's Mixup for batches; the defaults are those with which DeiT was trained. */
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
