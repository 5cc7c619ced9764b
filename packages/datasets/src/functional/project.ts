/** Drawing an image anew through an affine map, as PIL's Image.transform: the same rounding, so the same bytes. */
import { checkImage } from '@vitral/core/image'
import type { RawImage } from '../types.ts'
import { checkOneOf } from './checks.ts'
import { kernels } from './kernels/kernels.ts'
import { type Fill, flood } from './pad.ts'

export interface ProjectOptions {
  /** @default 'nearest' */
  interpolation?: 'nearest' | 'bilinear'
  /** Colour of what comes from outside the image. @default 0 */
  fill?: Fill
}

/** From the output's point (x, y) to the input's: [a·x + b·y + c, d·x + e·y + f]. */
export type AffineMap = readonly [a: number, b: number, c: number, d: number, e: number, f: number]

/** A new image of the same size. */
export function project(
  image: RawImage,
  map: AffineMap,
  { interpolation = 'nearest', fill = 0 }: ProjectOptions,
): RawImage {
  checkImage(image)
  const { data: source, width, height, channels } = image
  const data = new Uint8Array(source.length)
  const projected = { data, width, height, channels }
  if (fill !== 0) flood(projected, fill)
  const args = [height, width, channels, source, ...map, data] as const
  if (interpolation === 'bilinear') kernels.projectBilinear(...args)
  else if (inFloat(image, map)) kernels.projectNearestInFloat(...args)
  else kernels.projectNearest(...args)
  return projected
}

export function checkInterpolation(name: string, interpolation: string | undefined): void {
  checkOneOf(name, 'interpolation', interpolation ?? 'nearest', ['nearest', 'bilinear'])
}

/** PIL steps through the input in fixed point, but when nothing is turned, or the numbers are too large for it. */
const inFloat = (image: RawImage, map: AffineMap): boolean =>
  (map[1] === 0 && map[3] === 0) || !fitsFixedPoint(image, map)

function fitsFixedPoint({ width, height }: RawImage, [a, b, c, d, e, f]: AffineMap): boolean {
  return [0, width].every(x =>
    [0, height].every(y => Math.abs(x * a + y * b + c) < 32768 && Math.abs(x * d + y * e + f) < 32768),
  )
}
