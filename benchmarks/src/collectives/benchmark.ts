/** One case of collectives: processes of one run that sum arrays, and copy them for comparison, in turns. */

import type { NativeEngine } from '@vitral/backend-node/collectives'
import { median } from '@vitral/core/statistics'
import type { BenchmarkOptions } from '../benchmark.ts'
import { quietMoment } from '../machine.ts'
import { disturbance, measureRounds, millisecondsOf, quietCores, type Round } from '../rounds.ts'
import { type CollectivesCase, copied } from './cases.ts'
import type { RankRequest } from './protocol.ts'
import { isThere, RankGroup } from './rank-group.ts'

export interface CollectivesMeasurement {
  /** The engine, or 'copy'. */
  title: string
  bytes: number
  /** Time of one sum or copy: the median over the rounds. */
  milliseconds: number
  /** Bytes of the array, by that time. */
  gigabytesPerSecond: number
  /** The same by that of copying in the same round: the median of the ratios. */
  shareOfCopy: number
}

export interface CollectivesResult {
  ranks: number
  measurements: CollectivesMeasurement[]
  /** Engines that are not to be had here. */
  absent: readonly NativeEngine[]
  rounds: { counted: number; discarded: number; otherCores: number }
}

/** Milliseconds that a round waits at most for a quiet moment: about as long as it takes. */
const longestWait = 5_000

const script = new URL('rank.ts', import.meta.url)

/** @throws when a rank ends, or its first sum is wrong */
export async function runCollectivesCase(
  { engines, ranks: worldSize, sizes, rounds: wanted }: CollectivesCase,
  { rounds = wanted, log }: BenchmarkOptions,
): Promise<CollectivesResult> {
  const runs: RankGroup<RankRequest>[] = []
  try {
    for (const engine of engines.filter(isThere)) runs.push(await RankGroup.start(script, engine, worldSize))
    const [first] = runs
    if (!first) throw new Error('The case has no engine.')
    const timed = [
      { title: 'copy', ...copied, runner: first.runner('copy', { kind: 'copy', ...copied }) },
      ...runs.flatMap(run =>
        sizes.map(size => ({
          title: run.engine,
          ...size,
          runner: run.runner(`${run.engine} ${size.bytes}`, { kind: 'sum', ...size }),
        })),
      ),
    ]
    const { quietest, all } = await measureRounds(
      timed.map(({ runner }) => runner),
      {
        rounds,
        beforeRound: () => quietMoment({ cores: quietCores, longestWait }),
        onRound: round =>
          log([...round].map(([name, { milliseconds }]) => `${name} ${milliseconds.toFixed(0)} ms`).join(', ')),
      },
    )
    const measurements = timed.map(({ title, bytes, operations, runner: { name } }) => {
      const speed = (round: Round) => (bytes * operations) / millisecondsOf(round, name) / 1e6
      const copySpeed = (round: Round) => (copied.bytes * copied.operations) / millisecondsOf(round, 'copy') / 1e6
      return {
        title,
        bytes,
        milliseconds: median(quietest.map(round => millisecondsOf(round, name))) / operations,
        gigabytesPerSecond: median(quietest.map(speed)),
        shareOfCopy: median(quietest.map(round => speed(round) / copySpeed(round))),
      }
    })
    const otherCores = median(quietest.map(disturbance))
    return {
      ranks: worldSize,
      measurements,
      absent: engines.filter(engine => !isThere(engine)),
      rounds: { counted: quietest.length, discarded: all.length - 1 - quietest.length, otherCores },
    }
  } finally {
    for (const run of runs) run.stop()
  }
}
