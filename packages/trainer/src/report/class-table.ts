/** Each class's precision, recall and F1, the worst first. */
import type { ClassMetrics } from '../metrics.ts'
import { count, escapeHtml, percent, table } from './html.ts'

export function classTable(perClass: readonly ClassMetrics[]): string {
  const ranked = perClass.some(({ averagePrecision }) => averagePrecision !== undefined)
  const rows = [...perClass]
    .sort((a, b) => (a.f1 ?? -1) - (b.f1 ?? -1))
    .map(({ label, count: images, precision, recall, f1, averagePrecision }) => [
      escapeHtml(label),
      count(images),
      ...[precision, recall, f1, ...(ranked ? [averagePrecision ?? null] : [])].map(bar),
    ])
  const header = ['Class', 'Images', 'Precision', 'Recall', 'F1', ...(ranked ? ['Average precision'] : [])]
  const made = table(header, rows, 'class="classes"')
  return rows.length > 40 ? `<details><summary>${count(rows.length)} classes</summary>${made}</details>` : made
}

const bar = (share: number | null): string =>
  share === null ? '–' : `<span class="bar" style="--share:${share.toFixed(3)}">${percent(share)}</span>`
