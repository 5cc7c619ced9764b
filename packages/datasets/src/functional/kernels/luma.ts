import type { ImageBytes, ImageKernels } from '@vitral/core/image'

export const luma: ImageKernels['luma'] = (pixels, source, output) => {
  for (let pixel = 0, i = 0; pixel < pixels; pixel++, i += 3) output[pixel] = lumaAt(source, i)
}

export const lumaSum: ImageKernels['lumaSum'] = (_pixels, source) => {
  let sum = 0
  for (let i = 0; i < source.length; i += 3) sum += lumaAt(source, i)
  return sum
}

/** Of the pixel that begins at i, in 16-bit fixed point. */
export const lumaAt = (rgb: ImageBytes, i: number): number =>
  ((rgb[i] as number) * 19595 + (rgb[i + 1] as number) * 38470 + (rgb[i + 2] as number) * 7471 + 0x8000) >> 16
