/** Accuracy, loss, confusion and calibration of a classifier, gathered batch by batch. */

import type { ImageBatch } from '../step/batch.ts'
import { Calibration, type CalibrationBin } from './calibration.ts'
import { Confusion, type ConfusionCounts } from './confusion.ts'

/** Metrics of one class. */
export interface ClassMetrics {
  /** Name of the class. */
  label: string
  /** Number of images. */
  count: number
  /** Recall: share of the class's images that were predicted as it; null when it has none. */
  accuracy: number | null
  /** Share of the images predicted as this class that belong to it; null when there was none. */
  precision: number | null
  /** The accuracy, by its other name. */
  recall: number | null
  /** Harmonic mean of the two; null when the class neither was there nor was seen. */
  f1: number | null
  /** How well this class ranks images that may have several; null when none has it. */
  averagePrecision?: number | null
}

/** Metrics of any evaluation. */
export interface CommonMetrics {
  /** Top-1, from 0 to 1; of images that may have several classes, the part of which every class is right. */
  accuracy: number
  /** Mean cross-entropy, without label smoothing; of several classes the binary one, over all of them. */
  loss: number
  /** Number of images. */
  count: number
  /** Metrics of each class, in the order of the labels. */
  perClass: ClassMetrics[]
  /** Mean of the classes' f1, of those that have one. */
  macroF1: number
}

/** Metrics of images of one class each. */
export interface Metrics extends CommonMetrics, ConfusionCounts {
  /** Part of the images whose class is among the five best; null of five classes or fewer, where every image's is. */
  top5: number | null
  /** Expected calibration error: how far confidence is from accuracy, on average; from 0 to 1. */
  ece: number
  /** What it is computed from: 15 bins of confidence. */
  calibration: CalibrationBin[]
}

/** Gathers what is needed of each image, so that other processes' images can be gathered too. */
export interface ScoreGatherer<Result> {
  /**
   * All that the metrics need to know of each image, as many numbers for one as for another.
   *
   * @param logits [B, K], row-major
   */
  scores(logits: Float32Array, batch: Pick<ImageBatch, 'labels' | 'softLabels'>): number[][]
  addScore(score: readonly number[]): void
  /** @throws when nothing was added. */
  result(): Result
}

export class MetricsGatherer implements ScoreGatherer<Metrics> {
  readonly #labels: readonly string[]
  readonly #seen: Float64Array
  readonly #recognised: Float64Array
  readonly #confusion: Confusion
  readonly #calibration = new Calibration()
  #inTop5 = 0
  #loss = 0

  /** @param labels names of the classes, in the order of the logits */
  constructor(labels: readonly string[]) {
    this.#labels = labels
    this.#seen = new Float64Array(labels.length)
    this.#recognised = new Float64Array(labels.length)
    this.#confusion = new Confusion(labels.length)
  }

  scores(logits: Float32Array, { labels }: Pick<ImageBatch, 'labels'>): number[][] {
    const K = this.#labels.length
    return Array.from(labels, (target, b) => {
      const row = logits.subarray(b * K, (b + 1) * K)
      const [logPartition, predicted] = [logSumExp(row), largestOf(row)]
      const confidence = Math.exp((row[predicted] ?? Number.NaN) - logPartition)
      return [target, rankOf(row, target), logPartition - (row[target] as number), predicted, confidence]
    })
  }

  addScore(score: readonly number[]): void {
    const [target, rank, loss, predicted, confidence] = score as [number, number, number, number, number]
    this.#seen[target] = (this.#seen[target] as number) + 1
    if (rank === 0) this.#recognised[target] = (this.#recognised[target] as number) + 1
    if (rank < 5) this.#inTop5++
    this.#loss += loss
    if (predicted < 0) return
    this.#confusion.add(target, predicted)
    this.#calibration.add(confidence, predicted === target)
  }

  /** @throws when nothing was added. */
  result(): Metrics {
    const count = sum(this.#seen)
    if (count === 0) throw new Error('There is no image to evaluate; expected at least one.')
    const taken = this.#confusion.takenFor()
    const perClass = this.#labels.map((label, i) => this.#classMetrics(label, i, taken[i] as number))
    const scores = perClass.map(({ f1 }) => f1).filter(f1 => f1 !== null)
    return {
      accuracy: sum(this.#recognised) / count,
      top5: this.#labels.length > 5 ? this.#inTop5 / count : null,
      loss: this.#loss / count,
      count,
      perClass,
      macroF1: scores.reduce((total, f1) => total + f1, 0) / scores.length,
      ...this.#confusion.result(),
      ...this.#calibration.result(count),
    }
  }

  #classMetrics(label: string, i: number, taken: number): ClassMetrics {
    const [seen, recognised] = [this.#seen[i] as number, this.#recognised[i] as number]
    const recall = seen === 0 ? null : recognised / seen
    return {
      label,
      count: seen,
      accuracy: recall,
      precision: taken === 0 ? null : recognised / taken,
      recall,
      f1: seen + taken === 0 ? null : (2 * recognised) / (seen + taken),
    }
  }
}

/** How many classes come before the target: those with a higher logit, and equal ones of a lower index. */
function rankOf(row: ArrayLike<number>, target: number): number {
  const own = row[target] as number
  let rank = 0
  for (let k = 0; k < row.length; k++) {
    const other = row[k] as number
    // A logit that is not a number never counts as recognised.
    if (k !== target && !(other < own || (other === own && k > target))) rank++
  }
  return rank
}

/** The first of the largest; -1 when one is not a number. */
function largestOf(row: ArrayLike<number>): number {
  let largest = 0
  for (let k = 0; k < row.length; k++) {
    if (Number.isNaN(row[k])) return -1
    if ((row[k] as number) > (row[largest] as number)) largest = k
  }
  return largest
}

function logSumExp(row: ArrayLike<number>): number {
  let largest = Number.NEGATIVE_INFINITY
  for (let k = 0; k < row.length; k++) largest = Math.max(largest, row[k] as number)
  let total = 0
  for (let k = 0; k < row.length; k++) total += Math.exp((row[k] as number) - largest)
  return largest + Math.log(total)
}

const sum = (values: Float64Array): number => values.reduce((total, value) => total + value, 0)
