import { adjustBrightness, adjustContrast, adjustSaturation } from '../../functional/color.ts'
import { adjustHue } from '../../functional/hue.ts'
import type { RawImage, Transform } from '../../types.ts'
import { checkNumber, checkRange, imageTransform } from '../define.ts'

/** Strengths of `colorJitter`. */
export interface ColorJitterOptions {
  /** The factor is drawn from [max(0, 1 − brightness), 1 + brightness], or from the range given. @default 0 */
  brightness?: Strength
  /** Likewise. @default 0 */
  contrast?: Strength
  /** Likewise. @default 0 */
  saturation?: Strength
  /** The factor is drawn from [−hue, hue], or from the range given, from −0.5 to 0.5. @default 0 */
  hue?: Strength
}

/** How far to either side of no change, or between which factors. */
export type Strength = number | readonly [low: number, high: number]

/** Changes brightness, contrast, saturation and hue, in an order drawn anew each time (torchvision's ColorJitter). */
export function colorJitter(options: ColorJitterOptions): Transform<RawImage, RawImage> {
  const { brightness = 0, contrast = 0, saturation = 0, hue = 0 } = options
  const steps = [
    { adjust: adjustBrightness, factors: aboutOne('brightness', brightness) },
    { adjust: adjustContrast, factors: aboutOne('contrast', contrast) },
    { adjust: adjustSaturation, factors: aboutOne('saturation', saturation) },
    { adjust: adjustHue, factors: aboutZero('hue', hue) },
  ]
  return imageTransform('colorJitter', [options], (image, random) => {
    let result = image
    for (const i of random.permutation(steps.length)) {
      const { adjust, factors } = steps[i] as (typeof steps)[number]
      if (factors) result = adjust(result, random.uniform(...factors))
    }
    return result
  })
}

type Factors = [low: number, high: number]

/** @returns undefined for no change */
function aboutOne(argument: string, strength: Strength): Factors | undefined {
  if (typeof strength !== 'number') return checkedRange(argument, strength, 0, Infinity, 1)
  checkNumber('colorJitter', argument, strength, 0)
  return strength === 0 ? undefined : [Math.max(0, 1 - strength), 1 + strength]
}

function aboutZero(argument: string, strength: Strength): Factors | undefined {
  if (typeof strength !== 'number') return checkedRange(argument, strength, -0.5, 0.5, 0)
  checkNumber('colorJitter', argument, strength, 0, 0.5)
  return strength === 0 ? undefined : [-strength, strength]
}

function checkedRange(
  argument: string,
  range: readonly [low: number, high: number],
  least: number,
  most: number,
  none: number,
): Factors | undefined {
  checkRange('colorJitter', argument, range, least, most)
  const [low, high] = range
  return low === none && high === none ? undefined : [low, high]
}
