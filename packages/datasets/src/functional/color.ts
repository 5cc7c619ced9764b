/** Brightness, contrast and saturation as torchvision changes them on PIL images. */
import type { RawImage } from '../types.ts'
import { blendByte } from './blend.ts'
import { checkChannels, checkFactor } from './checks.ts'
import { toLuma } from './grayscale.ts'
import { lookUp } from './levels.ts'

const { fround } = Math

/** Blends with black: factor 0 is black, 1 the image, 2 twice as bright. */
export function adjustBrightness(image: RawImage, factor: number): RawImage {
  checkFactor('adjustBrightness', factor)
  return blendWith(image, 0, factor)
}

/** Blends with the image's mean grey: factor 0 is grey, 1 the image. RGB or grey. */
export function adjustContrast(image: RawImage, factor: number): RawImage {
  checkFactor('adjustContrast', factor)
  checkChannels('adjustContrast', image)
  const luma = toLuma(image)
  let sum = 0
  for (let pixel = 0; pixel < luma.length; pixel++) sum += luma[pixel] as number
  return blendWith(image, Math.trunc(sum / luma.length + 0.5), factor)
}

/** Blends with the image in grey: factor 0 is grey, 1 the image. RGB or grey. */
export function adjustSaturation(image: RawImage, factor: number): RawImage {
  checkFactor('adjustSaturation', factor)
  checkChannels('adjustSaturation', image)
  const { data: source, channels } = image
  if (channels === 1) return image
  const luma = toLuma(image)
  const share = fround(factor)
  const data = new Uint8Array(source.length)
  for (let pixel = 0, i = 0; i < data.length; pixel++, i += 3) {
    const grey = luma[pixel] as number
    data[i] = blendByte(grey, source[i] as number, share)
    data[i + 1] = blendByte(grey, source[i + 1] as number, share)
    data[i + 2] = blendByte(grey, source[i + 2] as number, share)
  }
  return { ...image, data }
}

/** With the same grey everywhere the result depends on the byte alone. */
function blendWith(image: RawImage, grey: number, factor: number): RawImage {
  const share = fround(factor)
  return lookUp(image, [Uint8Array.from({ length: 256 }, (_, value) => blendByte(grey, value, share))])
}
