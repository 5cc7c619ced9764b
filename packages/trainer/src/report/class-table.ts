/** Each class's precision, recall and F1, the worst first. */

import { percent } from '@vitral/core/text'
import type { ClassMetrics } from '../evaluation/metrics.ts'
import { count } from '../format.ts'
import { escapeHtml, table } from './html.ts'

/** More rows than this make a page that no browser scrolls well; the file beside it has all. */
const mostRows = 200

export function classTable(perClass: readonly ClassMetrics[]): string {
  const ranked = perClass.some(({ averagePrecision }) => averagePrecision !== undefined)
  const rows = [...perClass]
    .sort((a, b) => (a.f1 ?? -1) - (b.f1 ?? -1))
    .slice(0, mostRows)
    .map(({ label, count: images, precision, recall, f1, averagePrecision }) => [
      escapeHtml(label),
      count(images),
      ...[precision, recall, f1, ...(ranked ? [averagePrecision ?? null] : [])].map(bar),
    ])
  const header = ['Class', 'Images', 'Precision', 'Recall', 'F1', ...(ranked ? ['Average precision'] : [])]
  const made = table(header, rows, 'class="classes"')
  if (rows.length <= 40) return made
  const left = perClass.length - rows.length
  const summary = `${count(perClass.length)} classes${left > 0 ? `, of which the ${rows.length} of the lowest F1 are here; evaluation.json has all` : ''}`
  return `<details><summary>${summary}</summary>${made}</details>`
}

const bar = (share: number | null): string =>
  share === null ? '–' : `<span class="bar" style="--share:${share.toFixed(3)}">${percent(share, 1)}</span>`
