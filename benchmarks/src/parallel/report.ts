/** A case of data parallel training as Markdown. */
import { percent } from '@vitral/core/text'
import { markdownTable } from '../markdown-table.ts'
import type { ReportContext } from '../report.ts'
import type { ParallelMeasurement, ParallelResult } from './benchmark.ts'

const columns: [string, (measurement: ParallelMeasurement) => string][] = [
  ['model', ({ title }) => title],
  ['images each', ({ imagesEach }) => String(imagesEach)],
  ['alone, ms', ({ milliseconds }) => milliseconds.alone.toFixed(1)],
  ['together, ms', ({ milliseconds }) => milliseconds.overlapped.toFixed(1)],
  ['together is', ({ speedup }) => `${speedup.toFixed(2)}×`],
  ['sending nothing', ({ silentSpeedup }) => `${silentSpeedup.toFixed(2)}×`],
  ['waits, sent after', ({ waiting }) => `${waiting.after.toFixed(1)} ms`],
  ['waits, sent early', ({ waiting }) => `${waiting.overlapped.toFixed(1)} ms`],
  ['hidden', ({ hidden }) => percent(hidden, 0)],
]

/** The body of a section. */
export function reportParallelCase(
  { ranks, measurements }: ParallelResult,
  { summary, command, date, machine }: ReportContext,
): string {
  const quiet = measurements.map(
    ({ title, imagesEach, rounds: { counted, discarded, otherCores } }) =>
      `- ${title}, ${imagesEach} each: ${counted} rounds, ${discarded} discarded, others used ${otherCores.toFixed(2)} cores`,
  )
  return [
    `${summary}.`,
    '',
    `- \`${command}\`, ${date.toISOString().slice(0, 10)}, Bun ${process.versions.bun}`,
    `- ${machine}`,
    ...quiet,
    `- \`together\` are ${ranks} processes, each with as many images, \`sending nothing\` as many whose gradients stay their own; \`waits\` is from the end of the backward pass to that of the sums, in the process that came to it last: when all is sent only then, and when each gradient is sent as soon as it is final`,
    '',
    markdownTable([
      columns.map(([header]) => header),
      ...measurements.map(measurement => columns.map(([, cell]) => cell(measurement))),
    ]),
  ].join('\n')
}
