/** A case of serving as Markdown. */
import { percent } from '@vitral/core/text'
import { markdownTable } from '../markdown-table.ts'
import type { ReportContext } from '../report.ts'
import type { ServingMeasurement, ServingResult } from './benchmark.ts'
import { deadline } from './cases.ts'

type Columns = readonly [string, (measurement: ServingMeasurement) => string][]

const alone: Columns = [
  ['one client', ({ title }) => title],
  ['server, ms', ({ alone }) => alone.server.toFixed(2)],
  ['bare, ms', ({ alone }) => alone.bare.toFixed(2)],
  ['the server adds', ({ alone }) => `${alone.added.toFixed(2)} ms`],
  ['that is', ({ alone }) => percent(alone.added / alone.bare, 1)],
]

const together = (clients: number): Columns => [
  [`${clients} clients`, ({ title }) => title],
  ['server, images/s', ({ together }) => together.server.toFixed(1)],
  ['bare, images/s', ({ together, bestBatch }) => `${together.bare.toFixed(1)} (batch ${bestBatch})`],
  ['of bare', ({ together }) => (together.server / together.bare).toFixed(2)],
  ['onnxruntime, images/s', ({ together }) => together.onnx.toFixed(1)],
  ['of onnxruntime', ({ together }) => `${(together.server / together.onnx).toFixed(2)}×`],
  ['p99', ({ p99 }) => `${p99.server.toFixed(0)} ms`],
  ['p99 of onnxruntime', ({ p99 }) => `${p99.onnx.toFixed(0)} ms`],
]

const overload: Columns = [
  ['overload', ({ title }) => title],
  ['requests/s', ({ overload }) => overload.perSecond.toFixed(1)],
  ['answered', ({ overload }) => percent(overload.answered, 1)],
  ['refused', ({ overload }) => percent(overload.refused, 1)],
  ['p99 of answers', ({ overload }) => `${overload.p99.toFixed(0)} ms`],
  ['deadline', () => `${deadline} ms`],
]

const health: Columns = [
  ['/v2/health/live meanwhile', ({ title }) => title],
  ['median', ({ health }) => `${health.median.toFixed(1)} ms`],
  ['p99', ({ health }) => `${health.p99.toFixed(1)} ms`],
]

const batching = ({ title, batching }: ServingMeasurement): string =>
  markdownTable([
    [`batches of ${title}`, 'delay', 'images/s', 'median', 'p99'],
    ...batching.map(({ maxBatchSize, maxDelay, perSecond, median, p99 }) => [
      `${maxBatchSize} at most`,
      `${maxDelay} ms`,
      perSecond.toFixed(1),
      `${median.toFixed(1)} ms`,
      `${p99.toFixed(1)} ms`,
    ]),
  ])

/** The body of a section. */
export function reportServingCase(
  { clients, measurements }: ServingResult,
  { summary, command, date, machine }: ReportContext,
): string {
  const table = (columns: Columns): string =>
    markdownTable([
      columns.map(([header]) => header),
      ...measurements.map(measurement => columns.map(([, cell]) => cell(measurement))),
    ])
  const quiet = measurements.map(
    ({ title, rounds: { counted, discarded, otherCores }, clientMilliseconds }) =>
      `- ${title}: ${counted} rounds, ${discarded} discarded, others used ${otherCores.toFixed(2)} cores; the clients ${clientMilliseconds.toFixed(2)} ms of the processor for each image`,
  )
  return [
    `${summary}.`,
    '',
    `- \`${command}\`, ${date.toISOString().slice(0, 10)}, Bun ${process.versions.bun}`,
    `- ${machine}; the clients run on it, too`,
    ...quiet,
    '- `bare` decodes, resizes, normalises and computes in one process; of several batch sizes the best; what the server adds is the median of the differences within a round',
    '',
    table(alone),
    '',
    table(together(clients)),
    '',
    table(overload),
    '',
    table(health),
    ...measurements.filter(({ batching }) => batching.length > 0).flatMap(measurement => ['', batching(measurement)]),
  ].join('\n')
}
