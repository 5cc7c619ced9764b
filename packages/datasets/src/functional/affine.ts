/** Rotation, translation, scaling and shear at once, as torchvision's affine on PIL images. */
import type { RawImage } from '../types.ts'
import { checkFinite } from './checks.ts'
import { type AffineMap, checkInterpolation, type ProjectOptions, project } from './project.ts'

/** Parameters of `affine`, as torchvision's. */
export interface AffineOptions extends ProjectOptions {
  /** Clockwise rotation, in degrees. @default 0 */
  angle?: number
  /** Pixels to the right and down, after the rotation. @default [0, 0] */
  translate?: readonly [x: number, y: number]
  /** Above 0. @default 1 */
  scale?: number
  /** Angles of a shear along x and along y, in degrees. @default [0, 0] */
  shear?: readonly [x: number, y: number]
  /** The point that stays but for the translation, from the upper left corner. @default the image's center */
  center?: readonly [x: number, y: number]
}

/** Draws the image rotated, sheared, scaled and moved; the size stays. */
export function affine(image: RawImage, options: AffineOptions): RawImage {
  const { angle = 0, translate = [0, 0], scale = 1, shear = [0, 0] } = options
  const { center = [image.width * 0.5, image.height * 0.5] } = options
  checkFinite('affine', { angle, scale })
  for (const [name, pair] of Object.entries({ translate, shear, center })) checkPair(name, pair)
  if (scale <= 0) throw new Error(`affine: scale is ${scale}; expected a number above 0.`)
  checkInterpolation('affine', options.interpolation)
  return project(image, inverse(angle, translate, scale, shear, center), options)
}

type Pair = readonly [x: number, y: number]

function checkPair(name: string, pair: readonly number[]): void {
  if (pair.length !== 2 || !pair.every(Number.isFinite))
    throw new Error(`affine: ${name} is ${JSON.stringify(pair)}; expected [x, y], finite numbers.`)
}

/** The map from the result back to the image: center · (rotation · shear)⁻¹ / scale · center⁻¹ · translation⁻¹. */
function inverse(angle: number, [moveX, moveY]: Pair, scale: number, [shearX, shearY]: Pair, [x, y]: Pair): AffineMap {
  const [turn, alongX, alongY] = [radians(angle), radians(shearX), radians(shearY)]
  const { cos, sin, tan } = Math
  const a = cos(turn - alongY) / cos(alongY)
  const b = (-cos(turn - alongY) * tan(alongX)) / cos(alongY) - sin(turn)
  const c = sin(turn - alongY) / cos(alongY)
  const d = (-sin(turn - alongY) * tan(alongX)) / cos(alongY) + cos(turn)
  const [xx, xy, yx, yy] = [d / scale, -b / scale, -c / scale, a / scale]
  const [fromX, fromY] = [-x - moveX, -y - moveY]
  return [xx, xy, xx * fromX + xy * fromY + x, yx, yy, yx * fromX + yy * fromY + y]
}

const radians = (degrees: number): number => degrees * (Math.PI / 180)
