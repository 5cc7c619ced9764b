/** One case of data parallel training: the ranks take steps of each kind, in turns. */
import { median } from '@vitral/core/statistics'
import { type BenchmarkOptions, longestWait } from '../benchmark.ts'
import { RankGroup } from '../collectives/rank-group.ts'
import { quietMoment } from '../machine.ts'
import { disturbance, measureRounds, millisecondsOf, quietCores, type Round } from '../rounds.ts'
import type { ParallelCase } from './cases.ts'
import type { StepKind, StepRequest } from './protocol.ts'

export interface ParallelMeasurement {
  title: string
  imagesEach: number
  /** Time of a step of each kind: medians over the rounds. */
  milliseconds: Record<StepKind, number>
  /** Images a second of all ranks by those of one process alone: the median of the ratios within each round. */
  speedup: number
  /** The same where nothing is sent: what there is to be had without sums. */
  silentSpeedup: number
  /** How long a step waits for the sums after its backward pass: when they are begun then, and as it is done. */
  waiting: { after: number; overlapped: number }
  /** The share of the sums' time that the backward pass hides. */
  hidden: number
  rounds: { counted: number; discarded: number; otherCores: number }
}

export interface ParallelResult {
  ranks: number
  measurements: ParallelMeasurement[]
}

const kinds: readonly StepKind[] = ['overlapped', 'after', 'silent', 'alone']
const script = new URL('rank.ts', import.meta.url)

/** @throws when a rank ends */
export async function runParallelCase(
  { ranks, models, rounds: wanted }: ParallelCase,
  { rounds = wanted, log }: BenchmarkOptions,
): Promise<ParallelResult> {
  const measurements: ParallelMeasurement[] = []
  for (const { title, config, imagesEach } of models) {
    const group = await RankGroup.start<StepRequest>(script, 'local', ranks, { config, imagesEach })
    try {
      const { quietest, all } = await measureRounds(
        kinds.map(kind => group.runner(kind, { kind })),
        {
          rounds,
          beforeRound: () => quietMoment({ cores: quietCores, longestWait }),
          onRound: round =>
            log(`${title}: ${kinds.map(kind => `${kind} ${millisecondsOf(round, kind).toFixed(0)} ms`).join(', ')}`),
        },
      )
      const discarded = all.length - 1 - quietest.length
      const rest = { counted: quietest.length, discarded, otherCores: median(quietest.map(disturbance)) }
      measurements.push({ title, imagesEach, ...summaryOf(quietest, ranks), rounds: rest })
    } finally {
      group.stop()
    }
  }
  return { ranks, measurements }
}

/** @param ranks how many processes step together */
export function summaryOf(
  rounds: readonly Round[],
  ranks: number,
): Pick<ParallelMeasurement, 'milliseconds' | 'speedup' | 'silentSpeedup' | 'waiting' | 'hidden'> {
  const of = (kind: StepKind): number => median(rounds.map(round => millisecondsOf(round, kind)))
  const milliseconds = { overlapped: of('overlapped'), after: of('after'), silent: of('silent'), alone: of('alone') }
  const waited = (kind: StepKind): number => median(rounds.flatMap(round => round.get(kind)?.waiting ?? []))
  const waiting = { after: waited('after'), overlapped: waited('overlapped') }
  const speedupOf = (kind: StepKind): number =>
    median(rounds.map(round => (ranks * millisecondsOf(round, 'alone')) / millisecondsOf(round, kind)))
  const [speedup, silentSpeedup] = [speedupOf('overlapped'), speedupOf('silent')]
  return { milliseconds, speedup, silentSpeedup, waiting, hidden: 1 - waiting.overlapped / waiting.after }
}
