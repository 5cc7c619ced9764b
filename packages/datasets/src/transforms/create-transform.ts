/** Makes transforms again from their specs: in a worker, or from a file. */
import type { Transform, TransformSpec } from '../types.ts'
import { augMix } from './aug-mix.ts'
import { autoAugment } from './auto-augment.ts'
import { centerCrop } from './center-crop.ts'
import { colorJitter } from './color-jitter.ts'
import { compose } from './compose.ts'
import { gaussianBlur } from './gaussian-blur.ts'
import { grayscale, randomGrayscale } from './grayscale.ts'
import { normalize } from './normalize.ts'
import { randAugment } from './rand-augment.ts'
import { randomAffine } from './random-affine.ts'
import { randomCrop } from './random-crop.ts'
import { randomErasing } from './random-erasing.ts'
import { randomHorizontalFlip } from './random-horizontal-flip.ts'
import { randomResizedCrop } from './random-resized-crop.ts'
import { randomRotation } from './random-rotation.ts'
import { randomVerticalFlip } from './random-vertical-flip.ts'
import { resize } from './resize.ts'
import { toTensor } from './to-tensor.ts'
import { trivialAugmentWide } from './trivial-augment-wide.ts'

type Factory = (...args: never[]) => Transform

const factories: Readonly<Record<string, Factory>> = {
  augMix,
  autoAugment,
  centerCrop,
  colorJitter,
  compose: (specs: readonly TransformSpec[]) => compose(specs.map(createTransform)),
  gaussianBlur,
  grayscale,
  normalize,
  randAugment,
  randomAffine,
  randomCrop,
  randomErasing,
  randomGrayscale,
  randomHorizontalFlip,
  randomResizedCrop,
  randomRotation,
  randomVerticalFlip,
  resize,
  toTensor,
  trivialAugmentWide,
}

/** @throws when no factory has the spec's name. */
export function createTransform({ name, args }: TransformSpec): Transform {
  const factory = Object.hasOwn(factories, name) ? factories[name] : undefined
  if (!factory)
    throw new Error(`There is no transform '${name}'; expected one of ${Object.keys(factories).join(', ')}.`)
  return factory(...(args as never[]))
}
