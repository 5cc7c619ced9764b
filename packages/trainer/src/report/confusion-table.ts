/** The confusion matrix as a table whose cells are shaded by their share of a row. */

import { percent } from '@vitral/core/text'
import { type ConfusionCell, type ConfusionCounts, confusionCellsOf } from '../evaluation/confusion.ts'
import type { Metrics } from '../evaluation/metrics.ts'
import { count } from '../format.ts'
import { escapeHtml, table } from './html.ts'

/** More rows and columns than this cannot be read. */
const mostClasses = 20

export function confusionTable({ perClass, ...counts }: ConfusionCounts & Pick<Metrics, 'perClass'>): string {
  const cells = confusionCellsOf(counts)
  const shown = mostConfused(cells, perClass.length)
    .slice(0, mostClasses)
    .sort((a, b) => a - b)
  const name = (k: number): string => escapeHtml(perClass[k]?.label ?? String(k))
  const totals = perClass.map(() => 0)
  for (const [k, , images] of cells) totals[k] = (totals[k] as number) + images
  const places = new Map(shown.map((k, place) => [k, place]))
  const matrix = shown.map(() => shown.map(() => 0))
  for (const [k, taken, images] of cells) {
    const [row, column] = [places.get(k), places.get(taken)]
    if (row !== undefined && column !== undefined) (matrix[row] as number[])[column] = images
  }
  const rows = matrix.map((row, i) => {
    const k = shown[i] as number
    return [name(k), ...row.map((images, j) => cell(images, totals[k] as number, i === j))]
  })
  const left = perClass.length - shown.length
  return [
    '<p>Rows are the true class, columns the predicted class.</p>',
    table(['', ...shown.map(name)], rows, 'class="confusion"').replaceAll(/<td>(<span[^>]*>)/g, '<td class="share">$1'),
    left > 0 ? `<p>Of ${count(perClass.length)} classes the ${shown.length} with the most mistakes.</p>` : '',
  ].join('\n')
}

const cell = (images: number, total: number, right: boolean): string => {
  const share = total === 0 ? 0 : images / total
  const style = `--share:${share.toFixed(3)}`
  return `<span class="${right ? 'right' : 'wrong'}" style="${style}" title="${percent(share, 1)}">${images === 0 ? '' : count(images)}</span>`
}

/** Classes by their mistakes, in and out, most first; of equal ones the first. */
function mostConfused(cells: readonly ConfusionCell[], numClasses: number): number[] {
  const mistakes = Array<number>(numClasses).fill(0)
  for (const [k, taken, images] of cells)
    if (k !== taken) {
      mistakes[k] = (mistakes[k] as number) + images
      mistakes[taken] = (mistakes[taken] as number) + images
    }
  return mistakes.map((_, k) => k).sort((a, b) => (mistakes[b] as number) - (mistakes[a] as number) || a - b)
}
