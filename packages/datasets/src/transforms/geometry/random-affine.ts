import { affine } from '../../functional/affine.ts'
import { checkInterpolation, type ProjectOptions } from '../../functional/project.ts'
import type { RawImage, Transform } from '../../types.ts'
import { aboveZero, checkNumber, checkRange, type Degrees, degreesRange, imageTransform } from '../define.ts'

/** Ranges of `randomAffine`. */
export interface RandomAffineOptions extends ProjectOptions {
  /** The largest moves to the right and down, as parts of width and height. @default [0, 0] */
  translate?: readonly [x: number, y: number]
  /** Range of the factor of the size. @default [1, 1] */
  scale?: readonly [low: number, high: number]
  /** Shear along x, or along both: [lowest x, highest x, lowest y, highest y]. @default 0 */
  shear?: Degrees | readonly [number, number, number, number]
  /** The point that stays but for the translation: [x, y]. @default the image's center */
  center?: readonly [x: number, y: number]
}

/**
 * Rotates, moves, scales and shears at once, each by as much as is drawn uniformly (torchvision's RandomAffine).
 *
 * @param degrees the largest angle either way, or [low, high]
 */
export function randomAffine(degrees: Degrees, options: RandomAffineOptions = {}): Transform<RawImage, RawImage> {
  const { translate = [0, 0], scale = [1, 1], shear = 0, ...rest } = options
  const angles = degreesRange('randomAffine', 'degrees', degrees)
  for (const part of translate) checkNumber('randomAffine', 'translate', part, 0, 1)
  checkRange('randomAffine', 'scale', scale, aboveZero)
  const [shearX, shearY] = shearRanges(shear)
  checkInterpolation('randomAffine', options.interpolation)
  return imageTransform('randomAffine', [degrees, options], (image, random) => {
    const largestX = translate[0] * image.width
    const largestY = translate[1] * image.height
    return affine(image, {
      ...rest,
      angle: random.uniform(...angles),
      translate: [Math.round(random.uniform(-largestX, largestX)), Math.round(random.uniform(-largestY, largestY))],
      scale: random.uniform(...scale),
      shear: [random.uniform(...shearX), random.uniform(...shearY)],
    })
  })
}

type Range = readonly [low: number, high: number]

function shearRanges(shear: NonNullable<RandomAffineOptions['shear']>): [x: Range, y: Range] {
  if (typeof shear === 'number' || shear.length === 2) return [degreesRange('randomAffine', 'shear', shear), [0, 0]]
  const [lowX, highX, lowY, highY] = shear
  return [degreesRange('randomAffine', 'shear', [lowX, highX]), degreesRange('randomAffine', 'shear', [lowY, highY])]
}
