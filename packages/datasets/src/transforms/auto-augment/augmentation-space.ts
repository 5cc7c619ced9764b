/** How strong each operation can be: magnitudes in equal steps, as torchvision's tables have them, in single precision. */
import type { RawImage } from '../../types.ts'
import type { OperationName } from './augmentation-operations.ts'

const { fround } = Math

/** The magnitude of a step, from 0 to steps − 1. Operations that have none get 0. */
export type Magnitude = (step: number, steps: number, image: Pick<RawImage, 'width' | 'height'>) => number

export type AugmentationSpace = readonly (readonly [name: OperationName, magnitude: Magnitude])[]

/** The strongest of each kind. */
export interface Strongest {
  /** Slope. */
  shear: number
  /** Pixels, for an image of that width or height. */
  translate: (length: number) => number
  /** Degrees. */
  rotate: number
  /** What is added to a factor of 1, or taken from it. */
  color: number
  /** Bits that are kept, at the weakest and at the strongest. */
  posterize: readonly [weakest: number, strongest: number]
}

/** The operations that all four have, in torchvision's order. */
export function augmentationSpace({ shear, translate, rotate, color, posterize }: Strongest): AugmentationSpace {
  return [
    ['shearX', upTo(shear)],
    ['shearY', upTo(shear)],
    ['translateX', (step, steps, { width }) => between(0, translate(width), step, steps)],
    ['translateY', (step, steps, { height }) => between(0, translate(height), step, steps)],
    ['rotate', upTo(rotate)],
    ['brightness', upTo(color)],
    ['color', upTo(color)],
    ['contrast', upTo(color)],
    ['sharpness', upTo(color)],
    ['posterize', (step, steps) => bits(posterize, step, steps)],
    ['solarize', (step, steps) => between(255, 0, step, steps)],
    ['autoContrast', none],
    ['equalize', none],
  ]
}

export const none: Magnitude = () => 0

const upTo =
  (most: number): Magnitude =>
  (step, steps) =>
    between(0, most, step, steps)

/** Counted from the nearer end, as torch.linspace. */
function between(first: number, last: number, step: number, steps: number): number {
  const end = fround(last)
  const width = fround(fround(end - first) / (steps - 1))
  return fround(step < steps / 2 ? first + width * step : end - width * (steps - 1 - step))
}

function bits([weakest, strongest]: readonly [number, number], step: number, steps: number): number {
  const exact = fround(step / fround((steps - 1) / (weakest - strongest)))
  const whole = Math.floor(exact)
  const up = exact - whole > 0.5 || (exact - whole === 0.5 && whole % 2 === 1) // halves to even
  return weakest - (up ? whole + 1 : whole)
}
