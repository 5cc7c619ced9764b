/** A case's result as Markdown: its section in RESULTS.md, and what is printed. */

import { version_core } from '@tensorflow/tfjs-core'
import { percent } from '@vitral/core/text'
import type { BatchResult, Measurement } from './benchmark.ts'
import { markdownTable } from './markdown-table.ts'

export interface ReportContext {
  summary: string
  /** As typed. */
  command: string
  date: Date
  machine: string
}

/** Header of a column, and what a cell of it says; explained in the file's preamble. */
const columns: [string, (measurement: Measurement, batch: BatchResult) => string][] = [
  ['contestant', ({ title }) => title],
  ['batch', (_, { batchSize }) => String(batchSize)],
  ['ms', ({ milliseconds }) => milliseconds.toFixed(1)],
  ['CPU ms', ({ cpuMilliseconds }) => cpuMilliseconds?.toFixed(0) ?? '?'],
  ['images/s', ({ imagesPerSecond }) => imagesPerSecond.toFixed(2)],
  ['GFLOP/s', ({ gflops }) => gflops.toFixed(1)],
  ['of peak', ({ shareOfPeak }) => percent(shareOfPeak, 1)],
  ['of sustained', ({ shareOfSustained }) => percent(shareOfSustained, 1)],
  [
    'Vitral is',
    ({ contestant, vitralIsFasterBy }, { measurements: [first] }) =>
      contestant === first?.contestant ? '' : `${vitralIsFasterBy.toFixed(2)}×`,
  ],
  ['memory', ({ peakMemoryMiB }) => (peakMemoryMiB === undefined ? '?' : `${Math.round(peakMemoryMiB)} MiB`)],
  ['Δ logits', ({ logitsDifference }) => difference(logitsDifference)],
  ['Δ loss', ({ lossDifference }) => (lossDifference === undefined ? '' : difference(lossDifference))],
]

/** The body of a section. */
export function reportCase(
  batches: readonly BatchResult[],
  { summary, command, date, machine }: ReportContext,
): string {
  const table = markdownTable([
    columns.map(([header]) => header),
    ...batches.flatMap(batch => batch.measurements.map(one => columns.map(([, cell]) => cell(one, batch)))),
  ])
  const rounds = batches.map(
    ({ batchSize, peak, rounds: { counted, discarded, otherCores } }) =>
      `- batch ${batchSize}: ${counted} rounds, ${discarded} discarded, others used ${otherCores.toFixed(2)} cores; ` +
      `peak ${peak.oneThread.toFixed(0)} GFLOP/s with one thread, ${peak.allThreads.toFixed(0)} with two, ` +
      `${peak.sustained.toFixed(0)} sustained`,
  )
  const absent = new Map(batches.flatMap(batch => batch.absent.map(({ contestant, reason }) => [contestant, reason])))
  return [
    `${summary}.`,
    '',
    `- \`${command}\`, ${date.toISOString().slice(0, 10)}, Bun ${process.versions.bun}, tfjs-core ${version_core}`,
    `- ${machine}`,
    ...rounds,
    ...[...absent].map(([contestant, reason]) => `- absent: ${contestant} (${reason})`),
    '',
    table,
  ].join('\n')
}

const difference = (value: number) => (value === 0 ? '' : value.toExponential(1))
