/** Confusion counts: how often each class was predicted as which. Most pairs of many classes never occur, so only those that do are counted. */

export type ConfusionCell = [is: number, taken: number, images: number]

/** How often each class was taken for which. */
export interface ConfusionCounts {
  /** The confusion matrix, [true class][predicted class]: images. Null above 100 classes, where it would be mostly zeros. */
  confusion: number[][] | null
  /** The nonzero cells of the matrix, by true class and then predicted class; above 100 classes. */
  confusionCells?: ConfusionCell[]
}

/** More classes than this have no matrix: a thousand classes have a million numbers, 2 MB of JSON. */
const mostMatrixClasses = 100

export class Confusion {
  readonly #numClasses: number
  /** Counts by true class · K + predicted class. */
  readonly #images = new Map<number, number>()

  constructor(numClasses: number) {
    this.#numClasses = numClasses
  }

  add(is: number, taken: number): void {
    const cell = is * this.#numClasses + taken
    this.#images.set(cell, (this.#images.get(cell) ?? 0) + 1)
  }

  /** Images predicted as each class. */
  takenFor(): Float64Array {
    const totals = new Float64Array(this.#numClasses)
    for (const [, taken, images] of this.#cells()) totals[taken] = (totals[taken] as number) + images
    return totals
  }

  result(): ConfusionCounts {
    const K = this.#numClasses
    const cells = this.#cells()
    if (K > mostMatrixClasses) return { confusion: null, confusionCells: cells }
    const confusion = Array.from({ length: K }, () => Array<number>(K).fill(0))
    for (const [is, taken, images] of cells) (confusion[is] as number[])[taken] = images
    return { confusion }
  }

  #cells(): ConfusionCell[] {
    const K = this.#numClasses
    return [...this.#images].sort(([a], [b]) => a - b).map(([cell, images]) => [Math.floor(cell / K), cell % K, images])
  }
}

/** The counts that are not 0, whichever form they have. */
export const confusionCellsOf = ({ confusion, confusionCells }: ConfusionCounts): ConfusionCell[] =>
  confusionCells ??
  (confusion ?? []).flatMap((row, is) =>
    row.flatMap((images, taken): ConfusionCell[] => (images === 0 ? [] : [[is, taken, images]])),
  )
