/** The images of an evaluation that say most: the surest mistakes, and the surest hits. */
import { greatest } from '../numbers.ts'
import type { ImageBatch } from '../step/batch.ts'

/** How much of each patch reached the class token: [rows, columns], the largest 1. */
export interface AttentionMap {
  data: Float32Array
  rows: number
  columns: number
}

/** An image of an evaluation, and how the model took it. */
export interface ExampleImage {
  /** In the data set that was evaluated, where that is known. */
  index?: number
  /** Its true class, and the class it was predicted as. */
  label: number
  /** Class that the model took it for. */
  taken: number
  /** The probability of the predicted class. */
  confidence: number
  /** Pixels as the model saw them: floats of shape [channels, height, width]. */
  pixelValues: Float32Array
  /** Shape of the pixels. */
  shape: readonly [channels: number, height: number, width: number]
  /** Where the model looked, of the mistakes of a run's best model. */
  attention?: AttentionMap
}

/** Keeps a few images of each kind, whatever the number that it is shown. */
export class ExampleImages {
  readonly #count: number
  /** Surest first. */
  readonly mistakes: ExampleImage[] = []
  /** Images that were recognised, surest first. */
  readonly hits: ExampleImage[] = []

  /** Keeps so many mistakes and hits. @param count of each kind */
  constructor(count: number = 12) {
    this.#count = count
  }

  /**
   * Looks at a batch and keeps its surest mistakes and hits. logits [B × K].
   *
   * @param logits [B, K] of the batch's images; images that may have several classes are passed over
   */
  add({ pixelValues, labels, softLabels, indices }: ImageBatch, logits: Float32Array): void {
    if (softLabels) return
    const [B, ...shape] = pixelValues.shape
    const K = logits.length / B
    const size = shape[0] * shape[1] * shape[2]
    for (let b = 0; b < B; b++) {
      const row = logits.subarray(b * K, (b + 1) * K)
      const taken = row.indexOf(greatest(row))
      if (taken < 0) continue // a logit is not a number
      const label = labels[b] as number
      const confidence = 1 / row.reduce((total, logit) => total + Math.exp(logit - (row[taken] as number)), 0)
      const known = { label, taken, confidence, shape, ...(indices && { index: indices[b] as number }) }
      if (this.#isKept(known)) this.keep({ ...known, pixelValues: pixelValues.data.slice(b * size, (b + 1) * size) })
    }
  }

  /** Keeps an image if it is among the surest. */
  keep(image: ExampleImage): void {
    const kept = this.#kindOf(image)
    const place = kept.findIndex(other => isBefore(image, other))
    kept.splice(place < 0 ? kept.length : place, 0, image)
    kept.length = Math.min(kept.length, this.#count)
  }

  #isKept(image: Omit<ExampleImage, 'pixelValues'>): boolean {
    const kept = this.#kindOf(image)
    return kept.length < this.#count || isBefore(image, kept.at(-1) as ExampleImage)
  }

  #kindOf({ label, taken }: Pick<ExampleImage, 'label' | 'taken'>): ExampleImage[] {
    return label === taken ? this.hits : this.mistakes
  }
}

/** The surer one; of equals the first of the data set, whoever looked at it. */
const isBefore = (
  a: Pick<ExampleImage, 'confidence' | 'index'>,
  b: Pick<ExampleImage, 'confidence' | 'index'>,
): boolean => a.confidence > b.confidence || (a.confidence === b.confidence && (a.index ?? 0) < (b.index ?? 0))
