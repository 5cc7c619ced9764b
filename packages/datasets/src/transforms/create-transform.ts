/** Makes transforms again from their specs: in a worker, or from a file. */
import type { Transform, TransformSpec } from '../types.ts'
import { augMix } from './auto-augment/aug-mix.ts'
import { autoAugment } from './auto-augment/auto-augment.ts'
import { randAugment } from './auto-augment/rand-augment.ts'
import { trivialAugmentWide } from './auto-augment/trivial-augment-wide.ts'
import { colorJitter } from './color/color-jitter.ts'
import { gaussianBlur } from './color/gaussian-blur.ts'
import { grayscale, randomGrayscale } from './color/grayscale.ts'
import { compose } from './compose.ts'
import { centerCrop } from './geometry/center-crop.ts'
import { randomAffine } from './geometry/random-affine.ts'
import { randomCrop } from './geometry/random-crop.ts'
import { randomErasing } from './geometry/random-erasing.ts'
import { randomHorizontalFlip } from './geometry/random-horizontal-flip.ts'
import { randomResizedCrop } from './geometry/random-resized-crop.ts'
import { randomRotation } from './geometry/random-rotation.ts'
import { randomVerticalFlip } from './geometry/random-vertical-flip.ts'
import { resize } from './geometry/resize.ts'
import { normalize } from './normalize.ts'
import { toTensor } from './to-tensor.ts'

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

/** A transform by its name and arguments. @throws when no factory has the spec's name. */
export function createTransform({ name, args }: TransformSpec): Transform {
  const factory = Object.hasOwn(factories, name) ? factories[name] : undefined
  if (!factory)
    throw new Error(`There is no transform '${name}'; expected one of ${Object.keys(factories).join(', ')}.`)
  return factory(...(args as never[]))
}
