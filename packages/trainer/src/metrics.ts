/** Accuracy and loss of a classifier, gathered batch by batch. */

export interface ClassMetrics {
  label: string
  count: number
  /** Of the images of this class, the part that was recognised; null when there was none. */
  accuracy: number | null
}

export interface Metrics {
  /** Top-1, from 0 to 1. */
  accuracy: number
  /** Part of the images whose class is among the five best (or among all, when there are fewer). */
  top5: number
  /** Mean cross-entropy, without label smoothing. */
  loss: number
  count: number
  perClass: ClassMetrics[]
}

export class MetricsGatherer {
  readonly #labels: readonly string[]
  readonly #seen: Float64Array
  readonly #recognised: Float64Array
  #inTop5 = 0
  #loss = 0

  /** @param labels names of the classes, in the order of the logits */
  constructor(labels: readonly string[]) {
    this.#labels = labels
    this.#seen = new Float64Array(labels.length)
    this.#recognised = new Float64Array(labels.length)
  }

  /**
   * @param logits [B, K], row-major
   * @param classes [B]
   */
  add(
    logits: ArrayLike<number> & { subarray(begin: number, end: number): ArrayLike<number> },
    classes: ArrayLike<number>,
  ): void {
    const K = this.#labels.length
    for (let b = 0; b < classes.length; b++) {
      const row = logits.subarray(b * K, (b + 1) * K)
      const target = classes[b] as number
      const rank = rankOf(row, target)
      this.#seen[target] = (this.#seen[target] as number) + 1
      if (rank === 0) this.#recognised[target] = (this.#recognised[target] as number) + 1
      if (rank < 5) this.#inTop5++
      this.#loss += logSumExp(row) - (row[target] as number)
    }
  }

  /** @throws when nothing was added. */
  result(): Metrics {
    const count = sum(this.#seen)
    if (count === 0) throw new Error('There is no image to evaluate; expected at least one.')
    return {
      accuracy: sum(this.#recognised) / count,
      top5: this.#inTop5 / count,
      loss: this.#loss / count,
      count,
      perClass: this.#labels.map((label, i) => {
        const seen = this.#seen[i] as number
        return { label, count: seen, accuracy: seen === 0 ? null : (this.#recognised[i] as number) / seen }
      }),
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

function logSumExp(row: ArrayLike<number>): number {
  let largest = Number.NEGATIVE_INFINITY
  for (let k = 0; k < row.length; k++) largest = Math.max(largest, row[k] as number)
  let total = 0
  for (let k = 0; k < row.length; k++) total += Math.exp((row[k] as number) - largest)
  return largest + Math.log(total)
}

const sum = (values: Float64Array): number => values.reduce((total, value) => total + value, 0)
