import { checkInteger } from '@vitral/core/check'
import { Random } from '../random/random.ts'
import { seedFor } from '../random/seeds.ts'
import type { Sampler } from './sampler.ts'

/** Settings of `weightedSampler` and `classBalancedSampler`. */
export interface WeightedSamplerOptions {
  /** Examples in an epoch. @default as many as there are weights */
  numSamples?: number
  /** Whether an example may come more than once in an epoch. @default true */
  replacement?: boolean
  /** uint32. @default 0 */
  seed?: number
}

/**
 * Draws examples with probabilities in proportion to their weights (torch.utils.data.WeightedRandomSampler).
 *
 * @param weights one for each example of the data set, 0 or more; they need not sum up to one
 * @throws when a weight is negative or no number, or there are too few above 0 to draw from
 * @example
 * const sampler = weightedSampler([1, 1, 8], { numSamples: 1000, seed: 1 }) // about 800 times the last example
 */
export function weightedSampler(weights: ArrayLike<number>, options: WeightedSamplerOptions = {}): Sampler {
  const { numSamples = weights.length, replacement = true, seed = 0 } = options
  checkInteger('weightedSampler: numSamples', numSamples, 0)
  checkInteger('weightedSampler: seed', seed, 0)
  const own = Float64Array.from(weights)
  const wrong = own.findIndex(weight => !(weight >= 0 && weight < Infinity))
  if (wrong >= 0)
    throw new Error(`weightedSampler: the weight of example ${wrong} is ${own[wrong]}; expected a number from 0 on.`)
  const possible = own.reduce((count, weight) => count + Number(weight > 0), 0)
  if (possible < (replacement ? Math.min(1, numSamples) : numSamples))
    throw new Error(
      `weightedSampler: numSamples is ${numSamples}, but only ${possible} of ${own.length} weights are above 0${replacement ? '' : '; draw fewer, or with replacement'}.`,
    )
  const draw = replacement ? drawWithReplacement : drawWithoutReplacement
  return {
    name: `weighted(${own.length} weights ${checksum(own)}, ${numSamples} samples, ${replacement ? 'with' : 'without'} replacement, seed ${seed})`,
    length: numSamples,
    order(epoch) {
      const indices = draw(own, numSamples, new Random(seedFor(seed, 'order', epoch)))
      return { indices, repeats: countRepeats(indices, own.length) }
    },
  }
}

/**
 * Draws from all classes equally often, however many examples each has.
 *
 * @param labels the class of each example of the data set
 * @example
 * const sampler = classBalancedSampler(train.files.map(({ label }) => label), { seed: 1 })
 */
export function classBalancedSampler(labels: ArrayLike<number>, options: WeightedSamplerOptions = {}): Sampler {
  const counts = new Map<number, number>()
  for (const label of Array.from(labels)) counts.set(label, (counts.get(label) ?? 0) + 1)
  return weightedSampler(
    Float64Array.from(labels, label => 1 / (counts.get(label) as number)),
    options,
  )
}

/** Looks up each draw in the running sum of the weights. */
function drawWithReplacement(weights: Float64Array, count: number, random: Random): Int32Array {
  let total = 0
  const sums = weights.map(weight => (total += weight))
  return Int32Array.from({ length: count }, () => firstAbove(sums, random.uniform(0, total)))
}

/** The first place whose sum is larger; a weight of 0 makes its sum no larger than the one before. */
function firstAbove(sums: Float64Array, value: number): number {
  let low = 0
  let high = sums.length - 1
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sums[middle] as number) > value) high = middle
    else low = middle + 1
  }
  return low
}

/** Every example draws a waiting time, shorter for larger weights; the first to come are chosen (Efraimidis, Spirakis 2006). */
function drawWithoutReplacement(weights: Float64Array, count: number, random: Random): Int32Array {
  const times = weights.map(weight => -Math.log(1 - random.uniform(0, 1)) / weight)
  return Int32Array.from(weights.keys())
    .filter(i => (weights[i] as number) > 0)
    .sort((a, b) => (times[a] as number) - (times[b] as number))
    .slice(0, count)
}

function countRepeats(indices: Int32Array, examples: number): Int32Array {
  const seen = new Int32Array(examples)
  return indices.map(index => {
    const before = seen[index] as number
    seen[index] = before + 1
    return before
  })
}

/** Tells other weights apart (FNV-1a). */
function checksum(weights: Float64Array): string {
  let hash = 0x811c9dc5
  for (const byte of new Uint8Array(weights.buffer)) hash = Math.imul(hash ^ byte, 0x01000193)
  return (hash >>> 0).toString(16).padStart(8, '0')
}
