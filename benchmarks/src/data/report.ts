/** A data case's result as Markdown. */
import { percent } from '@vitral/core/text'
import { markdownTable } from '../markdown-table.ts'
import type { ReportContext } from '../report.ts'
import type { DataMeasurement, DataResult } from './benchmark.ts'

/** Header of a column, and what a cell of it says; explained in the file's preamble. */
const columns: [string, (measurement: DataMeasurement) => string][] = [
  ['contestant', ({ title }) => title],
  ['ms', ({ milliseconds }) => milliseconds.toFixed(1)],
  ['images/s', ({ imagesPerSecond }) => imagesPerSecond.toFixed(0)],
  [
    'Vitral is',
    ({ contestant, vitralIsFasterBy }) => (contestant === 'vitral-loader' ? '' : `${vitralIsFasterBy.toFixed(2)}×`),
  ],
  ['loading', ({ loadingShare }) => (loadingShare === undefined ? '' : percent(loadingShare))],
]

/** The body of a section. */
export function reportDataCase(
  { measurements, absent, rounds: { counted, discarded, otherCores } }: DataResult,
  { summary, command, date, machine }: ReportContext,
): string {
  return [
    `${summary}.`,
    '',
    `- \`${command}\`, ${date.toISOString().slice(0, 10)}, Bun ${process.versions.bun}`,
    `- ${machine}`,
    `- ${counted} rounds, ${discarded} discarded, others used ${otherCores.toFixed(2)} cores`,
    ...absent.map(({ contestant, reason }) => `- absent: ${contestant} (${reason})`),
    '',
    markdownTable([
      columns.map(([header]) => header),
      ...measurements.map(measurement => columns.map(([, cell]) => cell(measurement))),
    ]),
  ].join('\n')
}
