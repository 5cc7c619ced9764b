/** One case: everyone is given the same model and images, must agree on the logits, and is measured in turns. */

import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { measurePeak, multiplyAdd } from '@vitral/backend-node'
import { median } from '@vitral/core/statistics'
import { forwardFlops, trainingFlops } from '@vitral/core/vit'
import { type Case, learningRate, threads } from './cases.ts'
import { Contestant, type Given } from './contestant.ts'
import { type ContestantEntry, type ContestantName, contestants } from './contestants.ts'
import { writeInputs, writeModel } from './inputs.ts'
import { forgetPeakMemory, peakMemory, processSeconds, quietMoment } from './machine.ts'
import type { ContestantOptions } from './protocol.ts'
import {
  cpuMillisecondsOf,
  disturbance,
  measureRounds,
  millisecondsOf,
  quietCores,
  type Round,
  type Runner,
  speedRatio,
  warmUp,
} from './rounds.ts'
import { maxDifference } from './statistics.ts'

export interface Measurement {
  contestant: string
  /** What it says it is, with versions. */
  title: string
  /** Time of one run over the whole batch: the median over the rounds. */
  milliseconds: number
  /** CPU time of a run, all threads together; undefined where the system does not tell. */
  cpuMilliseconds: number | undefined
  imagesPerSecond: number
  gflops: number
  /** Share of the machine's peak with as many threads. */
  shareOfPeak: number
  /** Share of what the machine keeps up for as many operations: the median of the shares within each round. */
  shareOfSustained: number
  /** How many times as fast the first contestant, a Vitral, is: the median of the ratios within each round. */
  vitralIsFasterBy: number
  /** Resident, while measured; undefined where the system does not tell. */
  peakMemoryMiB?: number
  /** max |Δ| of the logits to the first contestant's, before any training. */
  logitsDifference: number
  /** max |Δ| of the losses to the first contestant's, over all training steps. */
  lossDifference?: number
}

/** What the machine multiplies and adds from registers, in GFLOP/s. */
export interface Peak {
  /** The best burst of all rounds. */
  oneThread: number
  allThreads: number
  /** With all threads, for as many operations as a run has, in a turn of its own each round: the median. */
  sustained: number
}

export interface BatchResult {
  batchSize: number
  peak: Peak
  measurements: Measurement[]
  /** Contestants that did not take part, and why. */
  absent: { contestant: string; reason: string }[]
  /** Rounds that count, rounds that were measured again, and the cores that others kept busy in those that count. */
  rounds: { counted: number; discarded: number; otherCores: number }
}

export interface BenchmarkOptions {
  rounds: number
  /** Include the contestants that take minutes. */
  slow: boolean
  /** Called with the progress, a line at a time. */
  log: (line: string) => void
}

/** Milliseconds that a round waits at most for other processes to finish. */
export const longestWait = 20_000

/** Milliseconds of each contestant's forward passes before the rounds. Training steps are counted, and their losses compared. */
const warmUpTime = 4_000

/** Logits that differ by more are not the same model's, unless the contestant says otherwise. */
const usualTolerance = 1e-3

/**
 * Runs a case, one batch size after the other.
 *
 * @throws when a contestant fails, and when its logits differ from the first one's by more than rounding explains
 */
export async function runCase(benchmark: Case, options: BenchmarkOptions): Promise<BatchResult[]> {
  const folder = await mkdtemp(join(tmpdir(), 'vitral-bench-'))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  process.once('exit', remove) // Ctrl-C, too, must not leave a gigabyte behind
  try {
    options.log('writing the model')
    const model = await writeModel(folder, benchmark.config, { int8: benchmark.contestants.some(readsInt8Onnx) })
    const batches: BatchResult[] = []
    for (const batchSize of benchmark.batchSizes) {
      const inputs = await writeInputs(folder, benchmark.config, batchSize)
      const given = { ...model, inputs, task: benchmark.task, threads, learningRate }
      batches.push(await runBatch(benchmark, batchSize, given, options))
    }
    return batches
  } finally {
    remove()
    process.off('exit', remove)
  }
}

async function runBatch(
  benchmark: Case,
  batchSize: number,
  given: ContestantOptions,
  { rounds: wanted, slow, log }: BenchmarkOptions,
): Promise<BatchResult> {
  const { present, absent } = await startAll(withBefore(benchmark.contestants), given, slow)
  try {
    const differences = await compareLogits(present)
    if (given.task === 'inference') for (const contestant of present) await warmUp(contestant, warmUpTime)
    for (const { pid } of present) forgetPeakMemory(pid)
    const flops = batchSize * (given.task === 'training' ? trainingFlops : forwardFlops)(benchmark.config)
    const peak: Peak = { oneThread: 0, allThreads: 0, sustained: 0 }
    const { quietest, all } = await measureRounds([...present, registers(flops)], {
      rounds: wanted,
      beforeRound: () => quietMoment({ cores: quietCores, longestWait }),
      onRound: round => {
        peak.oneThread = Math.max(peak.oneThread, measurePeak(1))
        peak.allThreads = Math.max(peak.allThreads, measurePeak(threads))
        log(`batch ${batchSize}, ${describe(round)}`)
      },
    })
    peak.sustained = flops / median(quietest.map(round => millisecondsOf(round, 'registers'))) / 1e6
    const first = present[0] as Contestant
    const measurements = present.map(({ name, title, pid }) => {
      const milliseconds = median(quietest.map(round => millisecondsOf(round, name)))
      const gflops = flops / milliseconds / 1e6
      return {
        contestant: name,
        title: name === 'vitral-before' ? `${title}, at ${commitBefore()}` : title,
        milliseconds,
        cpuMilliseconds: cpuMillisecondsOf(quietest, name),
        imagesPerSecond: (1000 * batchSize) / milliseconds,
        gflops,
        shareOfPeak: gflops / peak.allThreads,
        shareOfSustained: 1 / speedRatio(quietest, 'registers', name),
        vitralIsFasterBy: speedRatio(quietest, first.name, name),
        peakMemoryMiB: peakMemory(pid),
        logitsDifference: differences.get(name) ?? 0,
        ...(given.task === 'training' && {
          lossDifference: maxDifference(lossesOf(all, name), lossesOf(all, first.name)),
        }),
      }
    })
    const rounds = {
      counted: quietest.length,
      discarded: all.length - 1 - quietest.length,
      otherCores: median(quietest.map(disturbance)),
    }
    return { batchSize, peak, measurements, absent, rounds }
  } finally {
    for (const contestant of present) contestant.stop()
  }
}

/** Takes turns as the contestants do, and does in each run as many operations as they, with nothing but registers. */
const registers = (flops: number): Runner => ({
  name: 'registers',
  run: async () => ({ milliseconds: multiplyAdd(flops, threads) }),
  cpuSeconds: () => processSeconds(process.pid),
})

const readsInt8Onnx = (name: ContestantName): boolean => {
  const { readsInt8Onnx = false }: ContestantEntry = contestants[name]
  return readsInt8Onnx
}

/** What BENCH_BEFORE names. */
const commitBefore = (): string =>
  Bun.spawnSync(['git', '-C', process.env.BENCH_BEFORE ?? '', 'rev-parse', '--short', 'HEAD'])
    .stdout.toString()
    .trim()

/** With BENCH_BEFORE the build of that checkout takes part beside Vitral's own. */
const withBefore = (names: Case['contestants']): Case['contestants'] =>
  process.env.BENCH_BEFORE
    ? names.flatMap(name => (name === 'vitral' ? [name, 'vitral-before' as const] : name))
    : names

export async function startAll(
  names: Case['contestants'],
  given: Given,
  slow: boolean,
): Promise<{ present: Contestant[]; absent: BatchResult['absent'] }> {
  const present: Contestant[] = []
  const absent: BatchResult['absent'] = []
  try {
    for (const name of names) {
      const entry: ContestantEntry = contestants[name]
      if (entry.slow && !slow) {
        absent.push({ contestant: name, reason: 'takes minutes; pass --slow' })
        continue
      }
      const held = heldTo(entry)
      if (!held) {
        absent.push({ contestant: name, reason: `cannot be held to ${process.env.VITRAL_ISA}` })
        continue
      }
      const started = await Contestant.start(name, entry.command, given, held)
      if (started instanceof Contestant) present.push(started)
      else absent.push({ contestant: name, reason: started.unavailable })
    }
  } catch (error) {
    for (const contestant of present) contestant.stop()
    throw error
  }
  return { present, absent }
}

/** What a contestant's environment has besides; undefined when it would use more than the instruction set asked for. */
function heldTo({ heldTo }: ContestantEntry): Readonly<Record<string, string>> | undefined {
  const wanted = process.env.VITRAL_ISA
  return wanted && heldTo ? heldTo[wanted] : {}
}

/** @throws naming the contestant whose logits are another model's */
async function compareLogits(present: readonly Contestant[]): Promise<Map<string, number>> {
  const differences = new Map<string, number>()
  let reference: number[] | undefined
  for (const contestant of present) {
    const logits = await contestant.logits()
    reference ??= logits
    const difference = maxDifference(logits, reference)
    const { logitsTolerance: tolerance = usualTolerance }: ContestantEntry =
      contestants[contestant.name as ContestantName]
    if (difference > tolerance)
      throw new Error(
        `The logits of ${contestant.name} differ by ${difference} from those of ${present[0]?.name}; at most ${tolerance} is rounding.`,
      )
    differences.set(contestant.name, difference)
  }
  return differences
}

const lossesOf = (rounds: readonly Round[], name: string) => rounds.flatMap(round => round.get(name)?.losses ?? [])

function describe(round: Round): string {
  const turns = [...round].map(([name, { milliseconds }]) => `${name} ${milliseconds.toFixed(1)} ms`)
  return `${turns.join(', ')} (others ${disturbance(round).toFixed(2)} cores)`
}
