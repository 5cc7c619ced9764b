/** PIL's Image.blend, which all of ImageEnhance is: in single precision, cut to a byte. */
import { type ImageKernels, lumaAt } from '@vitral/core/image'

const { fround } = Math

/** from + share · (value − from), clipped to a byte's range. */
export function blendByte(from: number, value: number, share: number): number {
  const blended = fround(from + fround(share * (value - from)))
  return blended <= 0 ? 0 : blended >= 255 ? 255 : blended | 0
}

/** With the same grey everywhere the result depends on the byte alone. */
export const blendWithGrey: ImageKernels['blendWithGrey'] = (_size, source, grey, factor, output) => {
  const share = fround(factor)
  const table = Uint8Array.from({ length: 256 }, (_, value) => blendByte(grey, value, share))
  for (let i = 0; i < output.length; i++) output[i] = table[source[i] as number] as number
}

export const blendWithLuma: ImageKernels['blendWithLuma'] = (_pixels, source, factor, output) => {
  const share = fround(factor)
  for (let i = 0; i < output.length; i += 3) {
    const grey = lumaAt(source, i)
    output[i] = blendByte(grey, source[i] as number, share)
    output[i + 1] = blendByte(grey, source[i + 1] as number, share)
    output[i + 2] = blendByte(grey, source[i + 2] as number, share)
  }
}
