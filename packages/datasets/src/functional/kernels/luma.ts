import { type ImageKernels, lumaAt } from '@vitral/core/image'

export const luma: ImageKernels['luma'] = (pixels, source, output) => {
  for (let pixel = 0, i = 0; pixel < pixels; pixel++, i += 3) output[pixel] = lumaAt(source, i)
}

export const lumaSum: ImageKernels['lumaSum'] = (_pixels, source) => {
  let sum = 0
  for (let i = 0; i < source.length; i += 3) sum += lumaAt(source, i)
  return sum
}
