/** Rotation about the center, as PIL's Image.rotate. */
import type { RawImage } from '../types.ts'
import { checkFinite } from './checks.ts'
import { hflip, vflip } from './geometry.ts'
import { type AffineMap, checkInterpolation, type ProjectOptions, project } from './project.ts'

export type RotateOptions = ProjectOptions

/**
 * Rotates counter-clockwise; the size stays, so corners are cut.
 *
 * @param degrees any finite number
 */
export function rotate(image: RawImage, degrees: number, options: RotateOptions = {}): RawImage {
  checkFinite('rotate', { degrees })
  checkInterpolation('rotate', options.interpolation)
  const angle = ((degrees % 360) + 360) % 360
  // Quarter turns move pixels whole; the general way would lose a row to rounding.
  if (angle === 0) return image
  if (angle === 180) return vflip(hflip(image))
  if (image.width === image.height && angle === 90) return vflip(transpose(image))
  if (image.width === image.height && angle === 270) return hflip(transpose(image))
  return project(image, aboutCenter(image, angle), options)
}

function transpose({ data: source, width, height, channels }: RawImage): RawImage {
  const data = new Uint8Array(source.length)
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let c = 0; c < channels; c++) data[(x * height + y) * channels + c] = source[i++] as number
  return { data, width: height, height: width, channels }
}

function aboutCenter({ width, height }: RawImage, degrees: number): AffineMap {
  const angle = -(degrees * Math.PI) / 180
  const [cos, sin] = [round15(Math.cos(angle)), round15(Math.sin(angle))]
  const [x, y] = [width / 2, height / 2]
  return [cos, sin, cos * -x + sin * -y + x, -sin, cos, -sin * -x + cos * -y + y]
}

/** PIL rounds to 15 decimals, so that multiples of 90° are exact. */
const round15 = (value: number): number => Number(value.toFixed(15))
