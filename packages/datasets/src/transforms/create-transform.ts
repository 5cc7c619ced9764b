/** Makes transforms again from their specs: in a worker, or from a file. */
import type { Transform, TransformSpec } from '../types.ts'
import { colorJitter } from './color-jitter.ts'
import { compose } from './compose.ts'
import { normalize } from './normalize.ts'
import { randomCrop } from './random-crop.ts'
import { randomHorizontalFlip } from './random-horizontal-flip.ts'
import { randomRotation } from './random-rotation.ts'
import { resize } from './resize.ts'
import { toTensor } from './to-tensor.ts'

type Factory = (...args: never[]) => Transform

const factories: Readonly<Record<string, Factory>> = {
  colorJitter,
  compose: (specs: readonly TransformSpec[]) => compose(specs.map(createTransform)),
  normalize,
  randomCrop,
  randomHorizontalFlip,
  randomRotation,
  resize,
  toTensor,
}

/** @throws when no factory has the spec's name. */
export function createTransform({ name, args }: TransformSpec): Transform {
  const factory = Object.hasOwn(factories, name) ? factories[name] : undefined
  if (!factory)
    throw new Error(`There is no transform '${name}'; expected one of ${Object.keys(factories).join(', ')}.`)
  return factory(...(args as never[]))
}
