import { type Both, checkKernel, gaussianBlur as gaussianBlurNow } from '../../functional/blur.ts'
import type { RawImage, Transform } from '../../types.ts'
import { aboveZero, checkRange, imageTransform } from '../define.ts'

/** Settings of `gaussianBlur`. */
export interface GaussianBlurTransformOptions {
  /** Standard deviation in pixels, or the range from which it is drawn. @default [0.1, 2] */
  sigma?: number | readonly [low: number, high: number]
}

/**
 * Blurs, by a bell of a width drawn uniformly (torchvision's GaussianBlur).
 *
 * @param kernelSize how many pixels the bell is cut to: odd; one number, or [x, y]
 */
export function gaussianBlur(
  kernelSize: Both,
  { sigma = [0.1, 2] }: GaussianBlurTransformOptions = {},
): Transform<RawImage, RawImage> {
  const [low, high] = typeof sigma === 'number' ? [sigma, sigma] : sigma
  checkRange('gaussianBlur', 'sigma', [low, high], aboveZero)
  checkKernel('gaussianBlur', kernelSize)
  return imageTransform('gaussianBlur', [kernelSize, { sigma }], (image, random) =>
    gaussianBlurNow(image, kernelSize, { sigma: random.uniform(low, high) }),
  )
}
