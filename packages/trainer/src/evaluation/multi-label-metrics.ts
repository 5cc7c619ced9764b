/** How well a model tells which of several classes are in an image, gathered batch by batch. */

import type { ImageBatch } from '../step/batch.ts'
import type { ClassMetrics, CommonMetrics, ScoreGatherer } from './metrics.ts'

/** Metrics of images that may have several classes. */
export interface MultiLabelMetrics extends CommonMetrics {
  /** Mean of the classes' average precisions, of those that are in an image: how well images are ranked by each class. */
  meanAveragePrecision: number
  /** F1 of all decisions together: 2·hits / (2·hits + misses + false alarms). */
  microF1: number
}

/** Whether the class is predicted: its probability, the logit's sigmoid, is above a half. */
const isTold = (logit: number): boolean => logit > 0

/**
 * Keeps the logits of all images, since ranks need them. A score is an image's K logits, then 1 or 0 for each class.
 *
 * Source: average precision and F1 as scikit-learn's `average_precision_score` and `f1_score`; accuracy is its
 * `accuracy_score`, which counts an image when all of its classes are right.
 */
export class MultiLabelGatherer implements ScoreGatherer<MultiLabelMetrics> {
  readonly #labels: readonly string[]
  readonly #scores: Float64Array[] = []

  /** @param labels names of the classes, in the order of the logits */
  constructor(labels: readonly string[]) {
    this.#labels = labels
  }

  scores(logits: Float32Array, { softLabels }: Pick<ImageBatch, 'softLabels'>): number[][] {
    if (!softLabels)
      throw new Error('The images have one class each; expected softLabels, for each class whether an image has it.')
    const K = this.#labels.length
    return Array.from({ length: softLabels.shape[0] }, (_, b) => [
      ...logits.subarray(b * K, (b + 1) * K),
      ...Array.from(softLabels.data.subarray(b * K, (b + 1) * K), target => (target > 0.5 ? 1 : 0)),
    ])
  }

  addScore(score: readonly number[]): void {
    this.#scores.push(Float64Array.from(score))
  }

  /** @throws when nothing was added. */
  result(): MultiLabelMetrics {
    const K = this.#labels.length
    const count = this.#scores.length
    if (count === 0) throw new Error('There is no image to evaluate; expected at least one.')
    let loss = 0
    let right = 0
    for (const score of this.#scores) {
      let all = true
      for (let k = 0; k < K; k++) {
        const [logit, target] = [score[k] as number, score[K + k] as number]
        loss += Math.max(logit, 0) - logit * target + Math.log1p(Math.exp(-Math.abs(logit)))
        if (isTold(logit) !== (target === 1)) all = false
      }
      if (all) right++
    }
    const column = (place: number): number[] => this.#scores.map(score => score[place] as number)
    const classes = this.#labels.map((label, k) => judge(label, column(k), column(K + k)))
    return {
      accuracy: right / count,
      loss: loss / (count * K),
      count,
      perClass: classes.map(({ metrics }) => metrics),
      macroF1: mean(classes.map(({ metrics }) => metrics.f1)),
      microF1: f1Of(sum(classes, 'hits'), sum(classes, 'told'), sum(classes, 'there')) ?? 0,
      meanAveragePrecision: mean(classes.map(({ metrics }) => metrics.averagePrecision ?? null)),
    }
  }
}

interface Judgement {
  metrics: ClassMetrics
  hits: number
  told: number
  there: number
}

/** One class over all images. */
function judge(label: string, logits: readonly number[], targets: readonly number[]): Judgement {
  const told = logits.filter(isTold).length
  const there = targets.filter(target => target === 1).length
  const hits = logits.filter((logit, b) => isTold(logit) && targets[b] === 1).length
  const recall = there === 0 ? null : hits / there
  const precision = told === 0 ? null : hits / told
  const averagePrecision = averagePrecisionOf(logits, targets, there)
  return {
    metrics: {
      label,
      count: there,
      accuracy: recall,
      precision,
      recall,
      f1: f1Of(hits, told, there),
      averagePrecision,
    },
    ...{ hits, told, there },
  }
}

/** Σ (recall − recall before)·precision over the logits from the largest down, equal ones together; null without an image. */
function averagePrecisionOf(logits: readonly number[], targets: readonly number[], there: number): number | null {
  if (there === 0) return null
  const order = logits.map((_, b) => b).sort((a, b) => (logits[b] as number) - (logits[a] as number))
  let result = 0
  let hits = 0
  let hitsBefore = 0
  for (const [place, b] of order.entries()) {
    if (targets[b] === 1) hits++
    const next = order[place + 1]
    if (next !== undefined && logits[next] === logits[b]) continue
    result += ((hits - hitsBefore) / there) * (hits / (place + 1))
    hitsBefore = hits
  }
  return result
}

const f1Of = (hits: number, told: number, there: number): number | null =>
  told + there === 0 ? null : (2 * hits) / (told + there)

function mean(values: readonly (number | null)[]): number {
  const known = values.filter(value => value !== null)
  return known.length === 0 ? 0 : known.reduce((total, value) => total + value, 0) / known.length
}

const sum = (classes: readonly Judgement[], field: 'hits' | 'told' | 'there'): number =>
  classes.reduce((total, judged) => total + judged[field], 0)
