/** The run in a few numbers, and what it was made with. */

import { median } from '@vitral/core/statistics'
import { percent } from '@vitral/core/text'
import type { History } from '../dashboard/history.ts'
import { mainMetrics } from '../evaluation/evaluate.ts'
import { count, duration } from '../format.ts'
import type { Environment } from '../run/environment.ts'
import type { ReportedEvaluation } from './evaluation-file.ts'
import { escapeHtml, table } from './html.ts'

const names: Record<string, string> = {
  accuracy: 'Accuracy',
  top5: 'Top 5',
  mean_average_precision: 'Mean average precision',
}

/** JSON has no number for what is none. */
const fixed = (value: number | null): string => (value === null ? 'not a number' : value.toFixed(4))

/** The best model's figures. */
export function headline(
  { steps, evaluations, skippedSteps }: History,
  reported: ReportedEvaluation | undefined,
): string {
  const facts: [string, string][] = []
  if (reported) {
    const { evaluation, images, epoch } = reported
    for (const [name, value] of Object.entries(mainMetrics(evaluation)))
      facts.push([names[name] ?? name, percent(value, 2)])
    facts.push(['Loss', fixed(evaluation.loss)], ['Macro F1', percent(evaluation.macroF1, 1)])
    facts.push(['Measured on', `${count(evaluation.count)} ${images} images`], ['Best epoch', count(epoch)])
  }
  const epochs = new Set(evaluations.map(({ epoch }) => epoch)).size
  facts.push(['Steps', count(steps.at(-1)?.step ?? 0)], ['Epochs evaluated', count(epochs)])
  if (skippedSteps) facts.push(['Steps left out', count(skippedSteps)])
  return `<dl class="facts">${facts.map(([term, value]) => `<div><dt>${term}</dt><dd>${escapeHtml(value)}</dd></div>`).join('')}</dl>`
}

/** What each epoch brought, and how long it took. */
export function timings({ evaluations, steps }: History): string {
  let before = 0
  const rows = evaluations.map(({ epoch, step, accuracy, loss, seconds: now }) => {
    const row = [count(epoch), count(step), fixed(loss), percent(accuracy, 2), duration(now - before), duration(now)]
    before = now
    return row
  })
  const speed = median(steps.map(({ imagesPerSecond }) => imagesPerSecond))
  const header = ['Epoch', 'Step', 'Validation loss', 'Accuracy', 'Took', 'So far']
  const made = rows.length > 0 ? table(header, rows) : ''
  return [
    Number.isNaN(speed) ? '' : `<p>Median speed of a step: ${count(Math.round(speed))} images a second.</p>`,
    rows.length > 20 ? `<details><summary>${rows.length} epochs</summary>${made}</details>` : made,
  ].join('\n')
}

/** Versions, machine, and the state of the code. */
export function environmentTable(environment: Partial<Environment>): string {
  const { git, ...rest } = environment
  const rows = Object.entries({ ...rest, ...(git && { git: JSON.stringify(git) }) }).map(([name, value]) => [
    escapeHtml(name),
    escapeHtml(String(value)),
  ])
  return rows.length > 0 ? table(['', ''], rows, 'class="plain"') : ''
}
