/** What AutoAugment and its successors choose from: operations, each with one number that says how much. */
import { affine } from '../../functional/affine.ts'
import { adjustBrightness, adjustContrast, adjustSaturation } from '../../functional/color.ts'
import { autocontrast, equalize, invert, posterize, solarize } from '../../functional/levels.ts'
import type { ProjectOptions } from '../../functional/project.ts'
import { rotate } from '../../functional/rotate.ts'
import { adjustSharpness } from '../../functional/sharpness.ts'
import type { Random } from '../../random/random.ts'
import type { RawImage } from '../../types.ts'

export type OperationName =
  | 'identity'
  | 'shearX'
  | 'shearY'
  | 'translateX'
  | 'translateY'
  | 'rotate'
  | 'brightness'
  | 'color'
  | 'contrast'
  | 'sharpness'
  | 'posterize'
  | 'solarize'
  | 'autoContrast'
  | 'equalize'
  | 'invert'

interface Operation {
  apply(image: RawImage, magnitude: number, options: ProjectOptions): RawImage
  /** Whether it goes both ways: then half of the magnitudes drawn are made negative. */
  signed?: boolean
}

const degrees = (slope: number): number => Math.atan(slope) * (180 / Math.PI)

const operations: Readonly<Record<OperationName, Operation>> = {
  identity: { apply: image => image },
  shearX: {
    apply: (image, slope, options) => affine(image, { ...options, shear: [degrees(slope), 0], center: [0, 0] }),
    signed: true,
  },
  shearY: {
    apply: (image, slope, options) => affine(image, { ...options, shear: [0, degrees(slope)], center: [0, 0] }),
    signed: true,
  },
  translateX: {
    apply: (image, pixels, options) => affine(image, { ...options, translate: [Math.trunc(pixels), 0] }),
    signed: true,
  },
  translateY: {
    apply: (image, pixels, options) => affine(image, { ...options, translate: [0, Math.trunc(pixels)] }),
    signed: true,
  },
  rotate: { apply: rotate, signed: true },
  brightness: { apply: (image, change) => adjustBrightness(image, 1 + change), signed: true },
  color: { apply: (image, change) => adjustSaturation(image, 1 + change), signed: true },
  contrast: { apply: (image, change) => adjustContrast(image, 1 + change), signed: true },
  sharpness: { apply: (image, change) => adjustSharpness(image, 1 + change), signed: true },
  posterize: { apply: (image, bits) => posterize(image, bits) },
  solarize: { apply: (image, threshold) => solarize(image, threshold) },
  autoContrast: { apply: autocontrast },
  equalize: { apply: equalize },
  invert: { apply: invert },
}

export function applyOperation(
  name: OperationName,
  image: RawImage,
  magnitude: number,
  options: ProjectOptions,
): RawImage {
  return operations[name].apply(image, magnitude, options)
}

export const isSigned = (name: OperationName): boolean => operations[name].signed === true

/** Applies an operation, turned the other way in half of the cases if it has two. */
export function applyEitherWay(
  name: OperationName,
  image: RawImage,
  magnitude: number,
  random: Random,
  options: ProjectOptions,
): RawImage {
  const opposite = isSigned(name) && random.chance(0.5)
  return applyOperation(name, image, opposite ? -magnitude : magnitude, options)
}
