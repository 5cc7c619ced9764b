import { adjustBrightness, adjustContrast, adjustSaturation } from '../functional/color.ts'
import { adjustHue } from '../functional/hue.ts'
import type { RawImage, Transform } from '../types.ts'
import { checkNumber, imageTransform } from './define.ts'

export interface ColorJitterOptions {
  /** The factor is drawn from [max(0, 1 − brightness), 1 + brightness]. @default 0 */
  brightness?: number
  /** Likewise. @default 0 */
  contrast?: number
  /** Likewise. @default 0 */
  saturation?: number
  /** The factor is drawn from [−hue, hue]; at most 0.5. @default 0 */
  hue?: number
}

/** Changes brightness, contrast, saturation and hue, in an order drawn anew each time (torchvision's ColorJitter). */
export function colorJitter(options: ColorJitterOptions): Transform<RawImage, RawImage> {
  const { brightness = 0, contrast = 0, saturation = 0, hue = 0 } = options
  for (const [argument, value] of Object.entries({ brightness, contrast, saturation }))
    checkNumber('colorJitter', argument, value, 0)
  checkNumber('colorJitter', 'hue', hue, 0, 0.5)
  const steps = [
    { adjust: adjustBrightness, center: 1, reach: brightness },
    { adjust: adjustContrast, center: 1, reach: contrast },
    { adjust: adjustSaturation, center: 1, reach: saturation },
    { adjust: adjustHue, center: 0, reach: hue },
  ]
  return imageTransform('colorJitter', [options], (image, random) => {
    let result = image
    for (const i of random.permutation(steps.length)) {
      const { adjust, center, reach } = steps[i] as (typeof steps)[number]
      if (reach === 0) continue
      const least = center === 0 ? -reach : Math.max(0, center - reach)
      result = adjust(result, random.uniform(least, center + reach))
    }
    return result
  })
}
