/** One case of serving: the server, its work without it, and a plain server around ONNX Runtime, in turns. */

import { mkdirSync, rmSync } from 'node:fs'
import { mkdtemp, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ViTImageProcessor } from '@vitral/core'
import { median } from '@vitral/core/statistics'
import { type BenchmarkOptions, longestWait } from '../benchmark.ts'
import { Pipe } from '../contestant.ts'
import { writePhoto } from '../data/images.ts'
import { writeModel } from '../inputs.ts'
import { processSeconds, quietMoment } from '../machine.ts'
import { disturbance, measureRounds, millisecondsOf, quietCores, type Round, type Runner } from '../rounds.ts'
import { quantile } from '../statistics.ts'
import { type BatchingRow, measureBatching } from './batching.ts'
import { deadline, type ServedCase, type ServingCase, threads } from './cases.ts'
import type { BareOptions, BareRequest } from './line-protocol.ts'
import { askDuring, sendAll, sendAtRate, warmServer } from './load.ts'
import { ServerProcess } from './server-process.ts'

export interface ServingMeasurement {
  title: string
  /** Milliseconds of one image, one after the other: through the server, bare, and their difference within a round. */
  alone: { server: number; bare: number; added: number }
  /** Images a second of all clients together, of the bare work in its best batches, and of the plain server. */
  together: { server: number; bare: number; onnx: number }
  bestBatch: number
  /** Milliseconds. */
  p99: { server: number; onnx: number }
  overload: Overload
  /** Milliseconds of /v2/health/live while all clients have images computed. */
  health: { median: number; p99: number }
  /** Processor time of all clients for each image: what they take from the server. */
  clientMilliseconds: number
  batching: BatchingRow[]
  rounds: { counted: number; discarded: number; otherCores: number }
}

/** Twice as many requests as are answered at most, each with a deadline. */
export interface Overload {
  perSecond: number
  /** Shares of all requests. */
  answered: number
  refused: number
  /** Latency that 99 % of the answers stay under, in milliseconds. */
  p99: number
}

export interface ServingResult {
  clients: number
  measurements: ServingMeasurement[]
}

const batchSizes = [1, 4, 8, 16]

/** @throws when a server ends, or refuses what it should answer */
export async function runServingCase(
  { models, clients, rounds: wanted }: ServingCase,
  { rounds = wanted, log }: BenchmarkOptions,
): Promise<ServingResult> {
  const folder = await mkdtemp(join(tmpdir(), 'vitral-serving-'))
  try {
    await writePhoto(join(folder, '0.jpg'), 0)
    const measurements: ServingMeasurement[] = []
    for (const model of models) measurements.push(await measure(model, clients, { folder, rounds, log }))
    return { clients, measurements }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function measure(
  { title, config, images, batching }: ServedCase,
  clients: number,
  { folder, rounds, log }: { folder: string; rounds: number; log: BenchmarkOptions['log'] },
): Promise<ServingMeasurement> {
  const [size] = [config.imageSize].flat() as [number]
  const modelsFolder = join(folder, title.replaceAll(/\W+/g, '-'))
  mkdirSync(modelsFolder)
  const { modelFolder, onnxFile } = await writeModel(modelsFolder, config)
  await new ViTImageProcessor({ size: { height: size, width: size } }).savePretrained(modelFolder)
  const photo = join(folder, '0.jpg')
  const image = new Uint8Array(await readFile(photo))
  const stops: (() => unknown)[] = []
  try {
    const bare = await Bare.start({ modelFolder, photo, threads })
    stops.push(() => bare.stop())
    const server = await ServerProcess.startVitral(modelFolder)
    stops.push(() => server.stop())
    await warmServer(server.url, image, images.together / 4, clients)
    const onnx = await ServerProcess.startOnnx({ onnxFile, size, threads })
    stops.push(() => onnx.stop())
    const latencies = new Map<ServerProcess, number[]>()
    const imagesOf = (name: string): number => (name === 'bare 1' ? images.alone : images.together)
    const clientTimes: number[] = []
    const crowd = (name: string, to: ServerProcess): Runner =>
      runner(name, to, async () => {
        const before = process.cpuUsage()
        const times = await sendAll(to.url, image, images.together, clients)
        const { user, system } = process.cpuUsage(before)
        clientTimes.push((user + system) / 1000 / images.together)
        latencies.set(to, [...(latencies.get(to) ?? []), ...times])
      })
    const measured = (runners: Runner[], rounds: number): ReturnType<typeof measureRounds> =>
      measureRounds(runners, {
        rounds,
        beforeRound: () => quietMoment({ cores: quietCores, longestWait }),
        onRound: round =>
          log(
            `${title}: ${runners.map(({ name }) => `${name} ${millisecondsOf(round, name).toFixed(0)} ms`).join(', ')}`,
          ),
      })
    // Short turns, and many: the difference is a few percent, and the machine's own speed changes by more in a minute.
    const ofOne = [
      runner('server alone', server, () => sendAll(server.url, image, images.alone, 1)),
      runner('bare alone', bare, () => bare.run({ images: images.alone, together: 1 })),
    ]
    const alone = (await measured(ofOne, 4 * rounds)).quietest
    const ofAlone = (value: (round: Round) => number): number => median(alone.map(value)) / images.alone
    const { quietest, all } = await measured(
      [
        crowd('server', server),
        ...batchSizes.map(together =>
          runner(`bare ${together}`, bare, () => bare.run({ images: imagesOf(`bare ${together}`), together })),
        ),
        crowd('onnx', onnx),
      ],
      rounds,
    )
    const milliseconds = (name: string): number => median(quietest.map(round => millisecondsOf(round, name)))
    const perSecond = (name: string): number => (1000 * imagesOf(name)) / milliseconds(name)
    const [bestBatch] = batchSizes.toSorted((a, b) => perSecond(`bare ${b}`) - perSecond(`bare ${a}`)) as [number]
    const p99 = (of: ServerProcess): number => quantile(latencies.get(of) ?? [], 0.99)
    const live = new URL('/v2/health/live', server.url).href
    const health = await askDuring(live, sendAll(server.url, image, images.together, clients))
    return {
      title,
      alone: {
        server: ofAlone(round => millisecondsOf(round, 'server alone')),
        bare: ofAlone(round => millisecondsOf(round, 'bare alone')),
        added: ofAlone(round => millisecondsOf(round, 'server alone') - millisecondsOf(round, 'bare alone')),
      },
      together: { server: perSecond('server'), bare: perSecond(`bare ${bestBatch}`), onnx: perSecond('onnx') },
      bestBatch,
      p99: { server: p99(server), onnx: p99(onnx) },
      overload: await overload(server, image, 2 * perSecond('server')),
      health: { median: quantile(health, 0.5), p99: quantile(health, 0.99) },
      clientMilliseconds: median(clientTimes),
      batching: batching ? await measureBatching(modelFolder, image, { images: images.together, clients }) : [],
      rounds: {
        counted: quietest.length,
        discarded: all.length - 1 - quietest.length,
        otherCores: median(quietest.map(disturbance)),
      },
    }
  } finally {
    await Promise.all(stops.map(stop => stop()))
  }
}

async function overload(server: ServerProcess, image: Uint8Array, perSecond: number): Promise<Overload> {
  const sent = await sendAtRate(server.url, image, { perSecond, seconds: 10, timeout: deadline })
  const answered = sent.filter(({ status }) => status === 200)
  const refused = sent.filter(({ status }) => [429, 503, 504].includes(status))
  return {
    perSecond,
    answered: answered.length / sent.length,
    refused: refused.length / sent.length,
    p99: quantile(
      answered.map(({ milliseconds }) => milliseconds),
      0.99,
    ),
  }
}

interface Measured {
  cpuSeconds(): number | undefined
}

/** The harness sends the requests itself: its own time is no other's. */
const runner = (name: string, of: Measured, work: () => Promise<unknown>): Runner => ({
  name,
  async run() {
    const start = performance.now()
    await work()
    return { milliseconds: performance.now() - start }
  },
  cpuSeconds() {
    const seconds = of.cpuSeconds()
    const { user, system } = process.cpuUsage()
    return seconds === undefined ? undefined : seconds + (user + system) / 1e6
  },
})

class Bare {
  readonly #pipe: Pipe

  private constructor(pipe: Pipe) {
    this.#pipe = pipe
  }

  static async start(options: BareOptions): Promise<Bare> {
    const pipe = new Pipe('bare', [process.execPath, fileURLToPath(new URL('bare.ts', import.meta.url))], options)
    await pipe.read()
    return new Bare(pipe)
  }

  async run(request: BareRequest): Promise<void> {
    this.#pipe.write(JSON.stringify(request))
    await this.#pipe.read()
  }

  cpuSeconds(): number | undefined {
    return processSeconds(this.#pipe.pid)
  }

  stop(): void {
    this.#pipe.stop()
  }
}
