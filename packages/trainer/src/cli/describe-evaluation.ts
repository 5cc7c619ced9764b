/** An evaluation as a person at the terminal reads it. */
import { percent, printable } from '@vitral/core/text'
import { type ConfusionCell, type ConfusionCounts, confusionCellsOf } from '../evaluation/confusion.ts'
import type { Evaluation } from '../evaluation/evaluate.ts'
import { columnWidths } from '../format.ts'
import { greatest } from '../numbers.ts'

/** A confusion matrix with more columns fits no terminal; then its largest cells are told instead. */
const mostColumns = 50

/** How many of them. */
const mostConfusions = 20

/** The numbers that tell most: the accuracy and, of more than five classes, the top five; the accuracy of images that may have several classes asks for all of them. */
export const mainFacts = (evaluation: Evaluation): string =>
  'top5' in evaluation
    ? `accuracy ${percent(evaluation.accuracy)}${evaluation.top5 === null ? '' : `, top-5 ${percent(evaluation.top5)}`}`
    : `all classes right ${percent(evaluation.accuracy)}, mean average precision ${percent(evaluation.meanAveragePrecision)}`

export function describeEvaluation(evaluation: Evaluation, withConfusion: boolean): string {
  const { loss, count, imagesPerSecond, perClass, macroF1 } = evaluation
  const labels = perClass.map(({ label }) => printable(label))
  const [width = 0] = columnWidths(labels.map(label => [label]))
  return [
    `${mainFacts(evaluation)}, loss ${loss.toFixed(4)}: ${count} images at ${imagesPerSecond.toFixed(0)} a second`,
    `macro F1 ${percent(macroF1)}, ${'ece' in evaluation ? `expected calibration error ${percent(evaluation.ece)}` : `micro F1 ${percent(evaluation.microF1)}`}`,
    ...perClass.map(
      ({ count, accuracy, precision }, i) =>
        `  ${labels[i]?.padEnd(width)}  ${accuracy === null ? 'no image' : `${percent(accuracy).padStart(7)} of ${count}`}${precision === null ? '' : `, precision ${percent(precision)}`}`,
    ),
    ...(withConfusion && 'confusion' in evaluation ? ['', ...describeConfusion(evaluation, labels)] : []),
  ].join('\n')
}

const describeConfusion = (counts: ConfusionCounts, labels: readonly string[]): string[] =>
  counts.confusion && labels.length <= mostColumns
    ? confusionMatrix(counts.confusion, labels)
    : commonConfusions(confusionCellsOf(counts), labels)

/** A row for each true class, a column for each predicted one, numbered in the order of the rows. */
function confusionMatrix(confusion: readonly (readonly number[])[], labels: readonly string[]): string[] {
  const rows = [
    ['is, taken for →', ...labels.map((_, i) => String(i + 1))],
    ...confusion.map((images, i) => [`${String(i + 1).padStart(3)} ${labels[i]}`, ...images.map(String)]),
  ]
  const [first = 0, ...widths] = columnWidths(rows)
  const cell = greatest(widths, 3) + 1
  return rows.map(
    ([name = '', ...cells]) => `  ${name.padEnd(first)}${cells.map(images => images.padStart(cell)).join('')}`,
  )
}

/** The classes most often predicted as others. */
function commonConfusions(counts: readonly ConfusionCell[], labels: readonly string[]): string[] {
  const cells = counts.filter(([is, taken]) => is !== taken).sort(([, , a], [, , b]) => b - a)
  const rest = cells.length > mostConfusions ? [`  … and ${cells.length - mostConfusions} more; --json has all`] : []
  return [
    `most frequent confusions of ${labels.length} classes:${cells.length === 0 ? ' none' : ''}`,
    ...cells
      .slice(0, mostConfusions)
      .map(([is, taken, count]) => `  ${String(count).padStart(5)}  ${labels[is]} taken for ${labels[taken]}`),
    ...rest,
  ]
}
