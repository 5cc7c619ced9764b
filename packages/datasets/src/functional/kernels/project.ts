/** Drawing an image anew through an affine map, as PIL's Image.transform: the same rounding, so the same bytes. */
import type { ImageKernels } from '@vitral/core/image'

/** Positions step in 16.16 fixed point from the center of the first pixel. */
export const projectNearest: ImageKernels['projectNearest'] = (
  height,
  width,
  channels,
  source,
  a,
  b,
  c,
  d,
  e,
  f,
  output,
) => {
  const fixed = (value: number): number => Math.floor(value * 65536 + 0.5)
  const [stepX, stepY] = [fixed(a), fixed(d)]
  const [rowX, rowY] = [fixed(b), fixed(e)]
  let startX = fixed(c + a * 0.5 + b * 0.5)
  let startY = fixed(f + d * 0.5 + e * 0.5)
  for (let y = 0, out = 0; y < height; y++, startX += rowX, startY += rowY)
    for (let x = 0, fromX = startX, fromY = startY; x < width; x++, fromX += stepX, fromY += stepY, out += channels) {
      const column = fromX >> 16
      const row = fromY >> 16
      if (column < 0 || column >= width || row < 0 || row >= height) continue
      const from = (row * width + column) * channels
      for (let k = 0; k < channels; k++) output[out + k] = source[from + k] as number
    }
}

/** Positions are sums of steps, whose rounding decides where a center is on the edge of two pixels. */
export const projectNearestInFloat: ImageKernels['projectNearestInFloat'] = (
  height,
  width,
  channels,
  source,
  a,
  b,
  c,
  d,
  e,
  f,
  output,
) => {
  let startX = c + b * 0.5 + a * 0.5
  let startY = f + e * 0.5 + d * 0.5
  for (let y = 0, out = 0; y < height; y++, startX += b, startY += e)
    for (let x = 0, fromX = startX, fromY = startY; x < width; x++, fromX += a, fromY += d, out += channels) {
      if (!(fromX >= 0 && fromX < width && fromY >= 0 && fromY < height)) continue
      const from = (Math.trunc(fromY) * width + Math.trunc(fromX)) * channels
      for (let k = 0; k < channels; k++) output[out + k] = source[from + k] as number
    }
}

/** Positions are exact; the mean of four neighbours, clamped to the image, is cut to a byte, not rounded. */
export const projectBilinear: ImageKernels['projectBilinear'] = (
  height,
  width,
  channels,
  source,
  a,
  b,
  c,
  d,
  e,
  f,
  output,
) => {
  const rowLength = width * channels
  const [lastColumn, lastRow] = [width - 1, height - 1]
  for (let y = 0, out = 0; y < height; y++) {
    const [xByRow, yByRow] = [b * (y + 0.5), e * (y + 0.5)]
    for (let x = 0; x < width; x++, out += channels) {
      const fromX = a * (x + 0.5) + xByRow + c
      const fromY = d * (x + 0.5) + yByRow + f
      if (!(fromX >= 0 && fromX < width && fromY >= 0 && fromY < height)) continue
      const column = fromX < 0.5 ? -1 : (fromX - 0.5) | 0
      const row = fromY < 0.5 ? -1 : (fromY - 0.5) | 0
      const alongX = fromX - 0.5 - column
      const alongY = fromY - 0.5 - row
      const left = column < 0 ? 0 : column * channels
      const right = column < lastColumn ? (column + 1) * channels : left
      const upper = row < 0 ? 0 : row * rowLength
      const lower = row < lastRow ? (row + 1) * rowLength : upper
      for (let k = 0; k < channels; k++) {
        const top = mix(source[upper + left + k] as number, source[upper + right + k] as number, alongX)
        const bottom = mix(source[lower + left + k] as number, source[lower + right + k] as number, alongX)
        output[out + k] = mix(top, bottom, alongY)
      }
    }
  }
}

const mix = (a: number, b: number, share: number): number => a + (b - a) * share
