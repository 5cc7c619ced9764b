/** From colour to grey, as PIL's convert('L'). */
import type { RawImage } from '../types.ts'
import { checkChannels } from './checks.ts'

/**
 * The image in grey (torchvision's to_grayscale).
 *
 * @param image RGB or grey
 * @param numOutputChannels 1, or 3 equal ones
 */
export function toGrayscale(image: RawImage, numOutputChannels: 1 | 3 = 1): RawImage {
  checkChannels('toGrayscale', image)
  if (numOutputChannels !== 1 && numOutputChannels !== 3)
    throw new Error(`toGrayscale: numOutputChannels is ${numOutputChannels}; expected 1 or 3.`)
  const { width, height } = image
  const luma = toLuma(image)
  if (numOutputChannels === 1) return { data: luma, width, height, channels: 1 }
  const data = new Uint8Array(luma.length * 3)
  for (let pixel = 0, i = 0; pixel < luma.length; pixel++, i += 3) {
    const value = luma[pixel] as number
    data[i] = value
    data[i + 1] = value
    data[i + 2] = value
  }
  return { data, width, height, channels: 3 }
}

/** One byte for each pixel of an RGB or grey image: ITU-R 601-2 in 16-bit fixed point. */
export function toLuma({ data, channels, width, height }: RawImage): Uint8Array {
  if (channels === 1) return new Uint8Array(data)
  const luma = new Uint8Array(width * height)
  for (let pixel = 0, i = 0; pixel < luma.length; pixel++, i += 3)
    luma[pixel] =
      ((data[i] as number) * 19595 + (data[i + 1] as number) * 38470 + (data[i + 2] as number) * 7471 + 0x8000) >> 16
  return luma
}
