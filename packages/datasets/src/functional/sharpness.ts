/** Sharpness as torchvision changes it on PIL images. */
import { checkImage } from '@vitral/core/image'
import type { RawImage } from '../types.ts'
import { checkFactor } from './checks.ts'
import { blendByte } from './kernels/blend.ts'

/** Blends with the image smoothed over 3×3 pixels: factor 0 is smooth, 1 the image, 2 sharper. The border stays. */
export function adjustSharpness(image: RawImage, factor: number): RawImage {
  checkFactor('adjustSharpness', factor)
  checkImage(image)
  const { data: source, width, height, channels } = image
  const data = new Uint8Array(source)
  const share = Math.fround(factor)
  const row = width * channels
  for (let y = 1; y < height - 1; y++) {
    const end = (y + 1) * row - channels
    for (let i = y * row + channels; i < end; i++) {
      const value = source[i] as number
      const sum =
        (source[i - row - channels] as number) +
        (source[i - row] as number) +
        (source[i - row + channels] as number) +
        (source[i - channels] as number) +
        (source[i + channels] as number) +
        (source[i + row - channels] as number) +
        (source[i + row] as number) +
        (source[i + row + channels] as number) +
        5 * value
      data[i] = blendByte(smoothed[sum] as number, value, share)
    }
  }
  return { ...image, data }
}

/** Rounded mean of a sum over 3×3 pixels in which the middle one counts five times. */
const smoothed = Uint8Array.from({ length: 255 * 13 + 1 }, (_, sum) => Math.round(sum / 13))
