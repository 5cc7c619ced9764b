/** All cases, of models, of data, of collectives of several processes and of the server, each with what measures and reports its kind. */
import { type BenchmarkOptions, runCase } from './benchmark.ts'
import { cases } from './cases.ts'
import { runCollectivesCase } from './collectives/benchmark.ts'
import { collectivesCases } from './collectives/cases.ts'
import { reportCollectivesCase } from './collectives/report.ts'
import { runDataCase } from './data/benchmark.ts'
import { dataCases } from './data/cases.ts'
import { reportDataCase } from './data/report.ts'
import { runParallelCase } from './parallel/benchmark.ts'
import { parallelCases } from './parallel/cases.ts'
import { reportParallelCase } from './parallel/report.ts'
import { type ReportContext, reportCase } from './report.ts'
import { runServingCase } from './serving/benchmark.ts'
import { servingCases } from './serving/cases.ts'
import { reportServingCase } from './serving/report.ts'

export interface Measurable {
  summary: string
  rounds: number
  measure(options: BenchmarkOptions): Promise<{ result: unknown; report: (context: ReportContext) => string }>
}

function measurable<Kind extends { summary: string; rounds: number }, Result>(
  found: Readonly<Record<string, Kind>>,
  run: (benchmark: Kind, options: BenchmarkOptions) => Promise<Result>,
  write: (result: Result, context: ReportContext) => string,
): Record<string, Measurable> {
  const entries = Object.entries(found).map(([name, benchmark]): [string, Measurable] => {
    const measure: Measurable['measure'] = async options => {
      const result = await run(benchmark, options)
      return { result, report: context => write(result, context) }
    }
    return [name, { summary: benchmark.summary, rounds: benchmark.rounds, measure }]
  })
  return Object.fromEntries(entries)
}

/** All cases by their names on the command line. */
export const allCases: Readonly<Record<string, Measurable>> = {
  ...measurable(cases, runCase, reportCase),
  ...measurable(dataCases, runDataCase, reportDataCase),
  ...measurable(collectivesCases, runCollectivesCase, reportCollectivesCase),
  ...measurable(parallelCases, runParallelCase, reportParallelCase),
  ...measurable(servingCases, runServingCase, reportServingCase),
}
