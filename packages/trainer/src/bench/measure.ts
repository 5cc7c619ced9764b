/** Measures a model's forward pass or training step on one or more backends, in turns. */

import { type Tensor4D, tensor4d } from '@tensorflow/tfjs-core'
import { autocast, type BackendName, type ComputeDtype, useBackend, type ViTForImageClassification } from '@vitral/core'
import { median } from '@vitral/core/statistics'
import { normalStream } from '@vitral/core/tape'
import { forwardFlops, trainingFlops } from '@vitral/core/vit'
import { createOptimizer } from '../optimizers/index.ts'
import { type KernelCall, profileKernels } from './kernel-profile.ts'

export interface BenchOptions {
  createModel: () => Promise<ViTForImageClassification>
  backends: readonly BackendName[]
  batch: number
  train: boolean
  precision: ComputeDtype
  rounds: number
  /** Called before each round of a backend. */
  onRound?: (backend: string, round: number) => void
}

export interface BenchResult {
  backend: BackendName
  /** Median over the rounds. */
  milliseconds: number
  imagesPerSecond: number
  gflops: number
  /** How many times as fast as the first backend: the median of the ratios within each round. */
  ratio: number
  times: number[]
}

interface Contestant {
  backend: BackendName
  /** @returns the logits, or the loss. */
  run: () => Promise<ArrayLike<number>>
  /** Frees the model. */
  close: () => void
  times: number[]
  flops: number
}

/**
 * Runs every backend once before it counts, then all in turns, so that a machine that slows down does so for all.
 *
 * @throws when a backend cannot start
 */
export async function measure(options: BenchOptions): Promise<BenchResult[]> {
  const contestants: Contestant[] = []
  for (const backend of options.backends) contestants.push(await prepare(backend, options))
  for (let round = 1; round <= options.rounds; round++)
    for (const { backend, run, times } of contestants) {
      options.onRound?.(backend, round)
      await useBackend(backend)
      const began = performance.now()
      await run()
      times.push(performance.now() - began)
    }
  for (const { close } of contestants) close()
  const first = (contestants[0] as Contestant).times
  return contestants.map(({ backend, times, flops }) => {
    const milliseconds = median(times)
    return {
      backend,
      milliseconds,
      imagesPerSecond: (1000 * options.batch) / milliseconds,
      gflops: flops / milliseconds / 1e6,
      ratio: median(times.map((time, i) => (first[i] as number) / time)),
      times,
    }
  })
}

/** The kernel calls of all rounds on one backend, and how long the rounds took. */
export async function profile(
  options: Omit<BenchOptions, 'backends'> & { backend: BackendName },
): Promise<{ calls: KernelCall[]; milliseconds: number }> {
  const { run, close } = await prepare(options.backend, options)
  let milliseconds = 0
  const calls = await profileKernels(async () => {
    const began = performance.now()
    for (let round = 1; round <= options.rounds; round++) {
      options.onRound?.(options.backend, round)
      await run()
    }
    milliseconds = performance.now() - began
  })
  close()
  return { calls, milliseconds }
}

async function prepare(backend: BackendName, options: Omit<BenchOptions, 'backends'>): Promise<Contestant> {
  await useBackend(backend)
  const model = await options.createModel()
  const { run, close } = workOf(model, options)
  const wrong = Array.from(await run()).find(value => !Number.isFinite(value))
  if (wrong !== undefined)
    throw new Error(
      `The model computes ${wrong} on ${backend}; expected finite numbers, whose time is what is measured.`,
    )
  const flops = options.batch * (options.train ? trainingFlops : forwardFlops)(model.config)
  return { backend, run, close, times: [], flops }
}

function workOf(
  model: ViTForImageClassification,
  { batch, train, precision }: Pick<BenchOptions, 'batch' | 'train' | 'precision'>,
): Pick<Contestant, 'run' | 'close'> {
  const { numChannels, imageSize, numLabels } = model.config
  const [height, width] = typeof imageSize === 'number' ? [imageSize, imageSize] : imageSize
  const next = normalStream(1)
  const pixels = Float32Array.from({ length: batch * numChannels * height * width }, next)
  const labels = Array.from({ length: batch }, (_, i) => i % Math.max(1, numLabels))
  const input = (): Tensor4D => tensor4d(pixels, [batch, numChannels, height, width])
  if (!train) {
    const forward = async () => {
      const x = input()
      const { logits } = autocast({ dtype: precision }, () => model.forward(x))
      const values = await logits.data()
      x.dispose()
      logits.dispose()
      return values
    }
    return { run: forward, close: () => model.dispose() }
  }
  const optimizer = createOptimizer('adam', model.parameters(), { lr: 1e-5 })
  const step = async () => {
    const x = input()
    const { loss, logits, grads } = autocast({ dtype: precision }, () => model.valueAndGrads(x, labels))
    optimizer.step(grads)
    const values = await loss.data()
    for (const tensor of [x, loss, logits, ...Object.values(grads)]) tensor.dispose()
    return values
  }
  const close = () => {
    optimizer.dispose()
    model.dispose()
  }
  return { run: step, close }
}
