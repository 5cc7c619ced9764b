/** What MixUp and CutMix share: each image is mixed with the one before it, the first with the last; so are their labels. */

import { drawBeta } from '../../random/distributions.ts'
import type { Random } from '../../random/random.ts'
import type { Batch, BatchTransform } from '../../types.ts'
import { aboveZero, checkNumber } from '../define.ts'

/** Settings of `mixUp` and `cutMix`. */
export interface MixOptions {
  /** Parameter of the distribution Beta(alpha, alpha) from which the image's share is drawn. @default 1 */
  alpha?: number
  /** Probability that a batch is mixed; its labels are soft in any case. @default 1 */
  probability?: number
}

/** Writes the mixed images over the batch's own and returns the share that each has kept. */
type Mix = (pixelValues: Batch['pixelValues'], share: number, random: Random) => number

/** A batch transform that draws one share for the whole batch. */
export function mixTransform(name: string, options: MixOptions, mix: Mix): BatchTransform {
  const { alpha = 1, probability = 1 } = options
  checkNumber(name, 'alpha', alpha, aboveZero)
  checkNumber(name, 'probability', probability, 0, 1)
  return {
    name,
    args: [options],
    apply(batch, random, numClasses) {
      const mixed = batch.labels.length > 0 && random.chance(probability)
      const kept = mixed ? mix(batch.pixelValues, drawBeta(random, alpha), random) : 1
      const labels = softLabelsOf(batch, numClasses)
      mixWithPrevious(labels.data, numClasses, kept)
      return { ...batch, softLabels: labels }
    },
  }
}

/** rows[i] = kept · rows[i] + (1 − kept) · rows[i − 1], in single precision as PyTorch's; the first follows the last. */
export function mixWithPrevious(data: Float32Array, rowLength: number, kept: number): void {
  if (kept === 1) return
  const { fround } = Math
  const [own, other] = [fround(kept), fround(1 - kept)]
  const last = data.slice(data.length - rowLength)
  for (let row = data.length - rowLength; row >= 0; row -= rowLength) {
    const [source, start] = row === 0 ? [last, 0] : [data, row - rowLength]
    for (let i = 0; i < rowLength; i++) {
      const before = fround(fround(source[start + i] as number) * other)
      data[row + i] = fround(before + fround(fround(data[row + i] as number) * own))
    }
  }
}

/** Those the batch has, or 1 for its label and 0 for every other class. */
function softLabelsOf({ labels, softLabels }: Batch, numClasses: number): NonNullable<Batch['softLabels']> {
  if (softLabels) return softLabels
  const data = new Float32Array(labels.length * numClasses)
  for (const [i, label] of labels.entries()) {
    if (label < 0 || label >= numClasses)
      throw new Error(`The label of the batch's image ${i} is ${label}; expected one from 0 to ${numClasses - 1}.`)
    data[i * numClasses + label] = 1
  }
  return { data, shape: [labels.length, numClasses] }
}
