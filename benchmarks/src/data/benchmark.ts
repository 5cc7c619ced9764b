/** One case of loading: everyone is given the same images, must prepare them alike, and is measured in turns. */

import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { median } from '@vitral/core/statistics'
import { type BenchmarkOptions, longestWait, startAll } from '../benchmark.ts'
import { threads } from '../cases.ts'
import type { Contestant } from '../contestant.ts'
import { quietMoment } from '../machine.ts'
import { disturbance, measureRounds, millisecondsOf, quietCores, speedRatio } from '../rounds.ts'
import { maxDifference } from '../statistics.ts'
import type { DataCase } from './cases.ts'
import { prepareImages } from './images.ts'
import type { CheckedImages, DataOptions } from './protocol.ts'

export interface DataMeasurement {
  contestant: string
  /** What it says it is, with versions. */
  title: string
  /** Time of one epoch, or one step: the median over the rounds. */
  milliseconds: number
  imagesPerSecond: number
  /** How many times as fast Vitral is: the median of the ratios within each round. */
  vitralIsFasterBy: number
  /** Share of a step that it waited for its batch. */
  loadingShare?: number
}

export interface DataResult {
  measurements: DataMeasurement[]
  /** Contestants that did not take part, and why. */
  absent: { contestant: string; reason: string }[]
  /** Rounds that count, rounds that were measured again, and the cores that others kept busy in those that count. */
  rounds: { counted: number; discarded: number; otherCores: number }
}

/** Means of normalised images that differ by more are not those of the same images. */
const tolerance = 1e-2

/** @throws when a contestant fails, or prepares other images than the first */
export async function runDataCase(benchmark: DataCase, options: BenchmarkOptions): Promise<DataResult> {
  const folder = await mkdtemp(join(tmpdir(), 'vitral-bench-'))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  process.once('exit', remove)
  try {
    options.log('preparing the images')
    const { images, transforms, batchSize, workers, task } = benchmark
    const prepared = await prepareImages(images, folder)
    return await measure(
      benchmark.contestants,
      { images, ...prepared, transforms, batchSize, workers, task, threads },
      options,
    )
  } finally {
    remove()
    process.off('exit', remove)
  }
}

async function measure(
  contestants: DataCase['contestants'],
  given: DataOptions,
  { rounds: wanted, slow, log }: BenchmarkOptions,
): Promise<DataResult> {
  const { present, absent } = await startAll(contestants, given, slow)
  try {
    await compareMeans(present)
    const { quietest, all } = await measureRounds(present, {
      rounds: wanted,
      beforeRound: () => quietMoment({ cores: quietCores, longestWait }),
      onRound: round =>
        log([...round].map(([name, { milliseconds }]) => `${name} ${milliseconds.toFixed(0)} ms`).join(', ')),
    })
    const images = given.task === 'load' ? given.count : given.batchSize
    const measurements = present.map(({ name, title }) => {
      const milliseconds = median(quietest.map(round => millisecondsOf(round, name)))
      const waiting = quietest.flatMap(round => round.get(name)?.waiting ?? [])
      return {
        contestant: name,
        title,
        milliseconds,
        imagesPerSecond: (1000 * images) / milliseconds,
        vitralIsFasterBy: speedRatio(quietest, 'vitral-loader', name),
        ...(waiting.length > 0 && { loadingShare: median(waiting) / milliseconds }),
      }
    })
    const rounds = {
      counted: quietest.length,
      discarded: all.length - 1 - quietest.length,
      otherCores: median(quietest.map(disturbance)),
    }
    return { measurements, absent, rounds }
  } finally {
    for (const contestant of present) contestant.stop()
  }
}

async function compareMeans(present: readonly Contestant[]): Promise<void> {
  let reference: number[] | undefined
  for (const contestant of present) {
    const { means } = await contestant.check<CheckedImages>()
    reference ??= means
    const difference = maxDifference(means, reference)
    if (difference > tolerance)
      throw new Error(
        `The images of ${contestant.name} differ by ${difference} in their means from those of ${present[0]?.name}; at most ${tolerance} is rounding.`,
      )
  }
}
