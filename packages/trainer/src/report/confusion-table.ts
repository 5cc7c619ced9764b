/** Which class is taken for which, as a table whose cells are shaded by their share of a row. */
import type { Metrics } from '../metrics.ts'
import { count, escapeHtml, percent, table } from './html.ts'

/** More rows and columns than this cannot be read. */
const mostClasses = 20

export function confusionTable({ confusion, perClass }: Pick<Metrics, 'confusion' | 'perClass'>): string {
  const shown = mostConfused(confusion)
    .slice(0, mostClasses)
    .sort((a, b) => a - b)
  const name = (k: number): string => escapeHtml(perClass[k]?.label ?? String(k))
  const rows = shown.map(k => {
    const row = confusion[k] as number[]
    const total = row.reduce((sum, images) => sum + images, 0)
    return [name(k), ...shown.map(taken => cell(row[taken] as number, total, k === taken))]
  })
  const left = perClass.length - shown.length
  return [
    '<p>Rows are what an image is, columns what it was taken for.</p>',
    table(['', ...shown.map(name)], rows, 'class="confusion"').replaceAll(/<td>(<span[^>]*>)/g, '<td class="share">$1'),
    left > 0 ? `<p>Of ${count(perClass.length)} classes the ${shown.length} with the most mistakes.</p>` : '',
  ].join('\n')
}

const cell = (images: number, total: number, right: boolean): string => {
  const share = total === 0 ? 0 : images / total
  const style = `--share:${share.toFixed(3)}`
  return `<span class="${right ? 'right' : 'wrong'}" style="${style}" title="${percent(share)}">${images === 0 ? '' : count(images)}</span>`
}

/** Classes by their mistakes, in and out, most first; of equal ones the first. */
function mostConfused(confusion: readonly (readonly number[])[]): number[] {
  const mistakes = confusion.map(() => 0)
  for (const [k, row] of confusion.entries())
    for (const [taken, images] of row.entries())
      if (k !== taken) {
        mistakes[k] = (mistakes[k] as number) + images
        mistakes[taken] = (mistakes[taken] as number) + images
      }
  return mistakes.map((_, k) => k).sort((a, b) => (mistakes[b] as number) - (mistakes[a] as number) || a - b)
}
