/** PIL's Image.blend, which all of ImageEnhance is: in single precision, cut to a byte. */

const { fround } = Math

/** from + share · (value − from), clipped to a byte's range. */
export function blendByte(from: number, value: number, share: number): number {
  const blended = fround(from + fround(share * (value - from)))
  return blended <= 0 ? 0 : blended >= 255 ? 255 : blended | 0
}
