/** One case of collectives: processes of one run that sum arrays, and copy them for comparison, in turns. */
import { fileURLToPath } from 'node:url'
import type { NativeEngine } from '@vitral/backend-node/collectives'
import { type BenchmarkOptions, longestWait } from '../benchmark.ts'
import { Pipe } from '../contestant.ts'
import { processSeconds, quietMoment } from '../machine.ts'
import { disturbance, measureRounds, millisecondsOf, quietCores, type Round, type Runner } from '../rounds.ts'
import { median } from '../statistics.ts'
import { type CollectivesCase, copied } from './cases.ts'
import type { RankAnswer, RankOptions, RankRequest } from './protocol.ts'

export interface CollectivesMeasurement {
  /** The engine, or 'copy'. */
  title: string
  bytes: number
  /** Of one sum or copy: the median over the rounds. */
  milliseconds: number
  /** Bytes of the array, by that time. */
  gigabytesPerSecond: number
  /** The same by that of copying in the same round: the median of the ratios. */
  shareOfCopy: number
}

export interface CollectivesResult {
  ranks: number
  measurements: CollectivesMeasurement[]
  rounds: { counted: number; discarded: number; otherCores: number }
}

/** @throws when a rank ends, or its first sum is wrong */
export async function runCollectivesCase(
  { engines, ranks: worldSize, sizes, rounds: wanted }: CollectivesCase,
  { rounds = wanted, log }: BenchmarkOptions,
): Promise<CollectivesResult> {
  const runs: Run[] = []
  try {
    for (const engine of engines) runs.push(await Run.start(engine, worldSize))
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
      rounds: { counted: quietest.length, discarded: all.length - 1 - quietest.length, otherCores },
    }
  } finally {
    for (const run of runs) run.stop()
  }
}

/** The processes of one engine. */
class Run {
  readonly engine: NativeEngine
  readonly #ranks: readonly Pipe[]

  private constructor(engine: NativeEngine, ranks: readonly Pipe[]) {
    this.engine = engine
    this.#ranks = ranks
  }

  static async start(engine: NativeEngine, worldSize: number): Promise<Run> {
    const program = fileURLToPath(new URL('rank.ts', import.meta.url))
    const id = `benchmark ${process.pid}`
    const ranks = Array.from({ length: worldSize }, (_, rank) => {
      const options: RankOptions = { engine, rank, worldSize, id, threads: 1 }
      return new Pipe(`${engine} ${rank}`, [process.execPath, program], options)
    })
    const run = new Run(engine, ranks)
    try {
      await Promise.all(ranks.map(rank => rank.read()))
    } catch (error) {
      run.stop()
      throw error
    }
    return run
  }

  runner(name: string, request: RankRequest): Runner {
    return {
      name,
      run: async () => {
        for (const rank of this.#ranks) rank.write(JSON.stringify(request))
        const answers = (await Promise.all(this.#ranks.map(rank => rank.read()))) as RankAnswer[]
        return { milliseconds: Math.max(...answers.map(({ milliseconds }) => milliseconds)) }
      },
      cpuSeconds: () => this.#ranks.reduce((sum, { pid }) => sum + (processSeconds(pid) ?? 0), 0),
    }
  }

  stop(): void {
    for (const rank of this.#ranks) rank.stop()
  }
}
