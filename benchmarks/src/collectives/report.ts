/** A case of collectives as Markdown. */
import { percent } from '@vitral/core/text'
import { markdownTable } from '../markdown-table.ts'
import type { ReportContext } from '../report.ts'
import type { CollectivesMeasurement, CollectivesResult } from './benchmark.ts'

const units: [string, number][] = [
  ['MB', 1e6],
  ['KB', 1e3],
]

function amount(bytes: number): string {
  const [unit, size] = units.find(([, size]) => bytes >= size) ?? ['B', 1]
  return `${Number((bytes / size).toPrecision(3))} ${unit}`
}

const columns: [string, (measurement: CollectivesMeasurement) => string][] = [
  ['engine', ({ title }) => title],
  ['array', ({ bytes }) => amount(bytes)],
  ['ms', ({ milliseconds }) => milliseconds.toFixed(3)],
  ['GB/s', ({ gigabytesPerSecond }) => gigabytesPerSecond.toFixed(2)],
  ['of copying', ({ shareOfCopy }) => percent(shareOfCopy, 0)],
]

/** The body of a section. */
export function reportCollectivesCase(
  { ranks, measurements, absent, rounds: { counted, discarded, otherCores } }: CollectivesResult,
  { summary, command, date, machine }: ReportContext,
): string {
  return [
    `${summary}.`,
    '',
    `- \`${command}\`, ${date.toISOString().slice(0, 10)}, Bun ${process.versions.bun}`,
    `- ${machine}`,
    `- ${ranks} processes; ${counted} rounds, ${discarded} discarded, others used ${otherCores.toFixed(2)} cores`,
    '- GB/s are the bytes of the array in one process by the time; `of copying` is that by the GB/s of the copy',
    ...absent.map(engine => `- absent: ${engine} (mpirun starts no process here)`),
    '',
    markdownTable([
      columns.map(([header]) => header),
      ...measurements.map(measurement => columns.map(([, cell]) => cell(measurement))),
    ]),
  ].join('\n')
}
