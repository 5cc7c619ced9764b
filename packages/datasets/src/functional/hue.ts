/** Hue as torchvision changes it on PIL images. */
import type { RawImage } from '../types.ts'
import { checkChannels } from './checks.ts'
import { kernels } from './kernels/kernels.ts'

/**
 * Shifts the hue around the colour wheel (torchvision's adjust_hue).
 *
 * @param image RGB or grey
 * @param factor part of the colour wheel, from −0.5 to 0.5
 */
export function adjustHue(image: RawImage, factor: number): RawImage {
  if (!(factor >= -0.5 && factor <= 0.5))
    throw new Error(`adjustHue: factor is ${factor}; expected a number from -0.5 to 0.5.`)
  checkChannels('adjustHue', image)
  if (image.channels === 1) return image
  const data = new Uint8Array(image.data.length)
  kernels.adjustHue(data.length / 3, image.data, Math.trunc(factor * 255), data)
  return { ...image, data }
}
