/** What every factory returns: the transform with the name and arguments that make it again, and a check of its input. */
import type { Random } from '../random/random.ts'
import type { ImageTensor, RawImage, Sample, Transform, TransformSpec } from '../types.ts'

/** A transform of an image's bytes, for the part of a chain before toTensor. */
export function imageTransform<Out extends Sample = RawImage>(
  name: string,
  args: readonly unknown[],
  apply: (image: RawImage, random: Random) => Out,
): Transform<RawImage, Out> {
  return {
    name,
    args,
    apply(sample: Sample, random) {
      if (!('channels' in sample)) throw new Error(`${name} works on an image; put it before toTensor.`)
      return apply(sample, random)
    },
  }
}

/** A transform of an image's floats, for the part of a chain after toTensor. */
export function tensorTransform(
  name: string,
  args: readonly unknown[],
  apply: (tensor: ImageTensor, random: Random) => ImageTensor,
): Transform<ImageTensor, ImageTensor> {
  return {
    name,
    args,
    apply(sample: Sample, random) {
      if ('channels' in sample) throw new Error(`${name} works on a tensor; put toTensor before it.`)
      return apply(sample, random)
    },
  }
}

/** The part of a transform that can be sent to a worker or written to a file. */
export const specOf = ({ name, args, module, export: exported }: TransformSpec): TransformSpec => ({
  ...{ name, args },
  ...(module !== undefined && { module }),
  ...(exported !== undefined && { export: exported }),
})

/** The least of a number that has to be above 0. */
export const aboveZero: number = Number.MIN_VALUE

/** @throws naming the transform and argument that is not a number within the limits. */
export function checkNumber(
  name: string,
  argument: string,
  value: number,
  least: number,
  most: number = Infinity,
): void {
  if (value >= least && value <= most && value < Infinity) return
  throw new Error(`${name}: ${argument} is ${value}; expected a number ${limits(least, most)}.`)
}

/** The most of what is counted: beyond it no memory holds the pixels. */
export const mostCount: number = 2 ** 31 - 1

/** @throws naming the transform and argument that is not [low, high], both within the limits. */
export function checkRange(
  name: string,
  argument: string,
  range: readonly [low: number, high: number],
  least: number,
  most: number = Infinity,
): void {
  const [low, high] = range
  if (range.length === 2 && low >= least && high >= low && high <= most && high < Infinity) return
  throw new Error(
    `${name}: ${argument} is ${JSON.stringify(range)}; expected [low, high], numbers ${limits(least, most)}.`,
  )
}

function limits(least: number, most: number): string {
  if (most < Infinity) return `from ${least} to ${most}`
  return least === aboveZero ? 'above 0' : `at least ${least}`
}

/** A range of angles: the largest either way, or [low, high]. */
export type Degrees = number | readonly [low: number, high: number]

/** @throws naming the transform and argument that is neither a positive number nor [low, high]. */
export function degreesRange(name: string, argument: string, degrees: Degrees): readonly [low: number, high: number] {
  const [low, high] = typeof degrees === 'number' ? [-degrees, degrees] : degrees
  if (Number.isFinite(low) && Number.isFinite(high) && low <= high) return [low, high]
  throw new Error(
    `${name}: ${argument} is ${JSON.stringify(degrees)}; expected a positive number or [low, high], in degrees.`,
  )
}
