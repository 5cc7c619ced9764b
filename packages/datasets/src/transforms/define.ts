/** What every factory returns: the transform with the name and arguments that make it again, and a check of its input. */
import type { Random } from '../random.ts'
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
export const specOf = ({ name, args }: TransformSpec): TransformSpec => ({ name, args })

/** @throws naming the transform and argument that is not a number within the limits. */
export function checkNumber(
  name: string,
  argument: string,
  value: number,
  least: number,
  most: number = Infinity,
): void {
  if (value >= least && value <= most && value < Infinity) return
  const range = most === Infinity ? `at least ${least}` : `from ${least} to ${most}`
  throw new Error(`${name}: ${argument} is ${value}; expected a number ${range}.`)
}
