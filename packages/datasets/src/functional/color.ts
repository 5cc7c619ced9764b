/** Brightness, contrast and saturation as torchvision changes them on PIL images. */
import { checkImage } from '@vitral/core/image'
import type { RawImage } from '../types.ts'
import { checkChannels, checkFactor } from './checks.ts'
import { kernels } from './kernels/kernels.ts'

/** Blends with black: factor 0 is black, 1 the image, 2 twice as bright. */
export function adjustBrightness(image: RawImage, factor: number): RawImage {
  checkFactor('adjustBrightness', factor)
  checkImage(image)
  return blendWith(image, 0, factor)
}

/** Blends with the image's mean grey: factor 0 is grey, 1 the image. RGB or grey. */
export function adjustContrast(image: RawImage, factor: number): RawImage {
  checkFactor('adjustContrast', factor)
  checkChannels('adjustContrast', image)
  const { data, channels } = image
  const pixels = data.length / channels
  const sum = channels === 1 ? byteSum(data) : kernels.lumaSum(pixels, data)
  return blendWith(image, Math.trunc(sum / pixels + 0.5), factor)
}

/** Blends with the image in grey: factor 0 is grey, 1 the image. RGB or grey. */
export function adjustSaturation(image: RawImage, factor: number): RawImage {
  checkFactor('adjustSaturation', factor)
  checkChannels('adjustSaturation', image)
  if (image.channels === 1) return image
  const data = new Uint8Array(image.data.length)
  kernels.blendWithLuma(data.length / 3, image.data, factor, data)
  return { ...image, data }
}

function blendWith(image: RawImage, grey: number, factor: number): RawImage {
  const data = new Uint8Array(image.data.length)
  kernels.blendWithGrey(data.length, image.data, grey, factor, data)
  return { ...image, data }
}

function byteSum(data: RawImage['data']): number {
  let sum = 0
  for (let i = 0; i < data.length; i++) sum += data[i] as number
  return sum
}
