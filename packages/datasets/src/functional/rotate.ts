/** Rotation about a point, as PIL's Image.rotate. */
import { checkImage } from '@vitral/core/image'
import type { RawImage } from '../types.ts'
import { checkFinite } from './checks.ts'
import { hflip, vflip } from './geometry.ts'
import { type AffineMap, checkInterpolation, type ProjectOptions, project } from './project.ts'

/** Settings of `rotate`. */
export interface RotateOptions extends ProjectOptions {
  /** The point about which it turns, [x, y] from the upper left corner. @default the middle */
  center?: readonly [x: number, y: number]
}

/**
 * Rotates counter-clockwise; the size stays, so corners are cut.
 *
 * @param degrees any finite number
 */
export function rotate(image: RawImage, degrees: number, options: RotateOptions = {}): RawImage {
  checkFinite('rotate', { degrees })
  checkRotation('rotate', options)
  checkImage(image)
  const angle = ((degrees % 360) + 360) % 360
  const { center } = options
  if (center) return project(image, aboutPoint(center, angle), options)
  // Quarter turns move pixels whole; the general way would lose a row to rounding.
  if (angle === 0) return image
  if (angle === 180) return vflip(hflip(image))
  if (image.width === image.height && angle === 90) return vflip(transpose(image))
  if (image.width === image.height && angle === 270) return hflip(transpose(image))
  return project(image, aboutPoint([image.width / 2, image.height / 2], angle), options)
}

/** @throws naming the option that is wrong */
export function checkRotation(name: string, { interpolation, center = [0, 0] }: RotateOptions): void {
  checkInterpolation(name, interpolation)
  if (center.length !== 2 || !center.every(Number.isFinite))
    throw new Error(`${name}: center is ${JSON.stringify(center)}; expected [x, y], finite numbers.`)
}

function transpose({ data: source, width, height, channels }: RawImage): RawImage {
  const data = new Uint8Array(source.length)
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let c = 0; c < channels; c++) data[(x * height + y) * channels + c] = source[i++] as number
  return { data, width: height, height: width, channels }
}

function aboutPoint([x, y]: readonly [number, number], degrees: number): AffineMap {
  const angle = -(degrees * Math.PI) / 180
  const [cos, sin] = [round15(Math.cos(angle)), round15(Math.sin(angle))]
  return [cos, sin, cos * -x + sin * -y + x, -sin, cos, -sin * -x + cos * -y + y]
}

/** PIL rounds to 15 decimals, so that multiples of 90° are exact. */
const round15 = (value: number): number => Number(value.toFixed(15))
