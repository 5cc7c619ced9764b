/** What one process of several does in the tests of data parallel training; alone, it is what they are compared with. */
import { existsSync, readdirSync } from 'node:fs'
import { fill, memory, type Variable, variable, zeros } from '@tensorflow/tfjs-core'
import { type BackendName, useBackend, ViTForImageClassification } from '@vitral/core'
import { deriveSeed } from '@vitral/core/tape'
import type { Collectives } from '../src/ddp/collectives.ts'
import { DataParallel } from '../src/ddp/data-parallel.ts'
import { createOptimizer } from '../src/optimizers/index.ts'
import type { Recipe } from '../src/recipe/types.ts'
import type { EpochReport } from '../src/run/events.ts'
import { startRun } from '../src/run/start-run.ts'
import type { ImageBatch } from '../src/step/batch.ts'
import { GradScaler } from '../src/step/grad-scaler.ts'
import { createModelEma } from '../src/step/model-ema.ts'
import { type TrainStepOptions, trainStep } from '../src/step/train-step.ts'

const size = 8

export interface StepsOptions
  extends Pick<TrainStepOptions, 'clipGradNorm' | 'microBatchSize' | 'precision' | 'gradientCheckpointing'> {
  backend: BackendName
  /** Images of all processes in each step. */
  batches: readonly number[]
  dropout?: number
  /** The first scale of a scaler, if there is to be one. */
  scale?: number
  bucketBytes?: number
  /** This process has such a pixel in the step. */
  bad?: { step: number; value: number }
  seed?: number
}

export interface StepsResult {
  parameters: Record<string, Float32Array>
  averages: Record<string, Float32Array>
  losses: number[]
  norms: (number | undefined)[]
  skipped: boolean[]
  scale?: number
  tensors: number
}

/** A few steps of a tiny ViT, on this process's share of made-up batches. */
async function steps(collectives: Collectives, options: StepsOptions): Promise<StepsResult> {
  const { backend, batches, dropout = 0, scale, bucketBytes, bad, seed = 0, ...stepOptions } = options
  await useBackend(backend)
  const model = tinyModel(dropout, seed)
  const parallel =
    collectives.worldSize > 1 ? new DataParallel(collectives, model.trainableParameters(), { bucketBytes }) : undefined
  const optimizer = createOptimizer('adamw', model.parameters(), { lr: 0.02, eps: 1e-4, weightDecay: 0.1 })
  const ema = createModelEma(model.trainableParameters(), { decay: 0.5 })
  const scaler = scale === undefined ? undefined : new GradScaler({ initScale: scale, growthInterval: 2 })
  const result: StepsResult = { parameters: {}, averages: {}, losses: [], norms: [], skipped: [], tensors: 0 }
  let tensors = 0
  for (const [step, count] of batches.entries()) {
    if (step === 1) tensors = memory().numTensors
    const batch = shareOf(count, step, collectives)
    if (bad?.step === step) batch.pixelValues.data[3] = bad.value
    const seedOfStep = deriveSeed(5, step)
    const done = await trainStep(model, optimizer, batch, { ...stepOptions, seed: seedOfStep, scaler, parallel })
    ema.update(step + 1)
    result.losses.push(done.loss)
    result.norms.push(done.gradNorm)
    result.skipped.push(done.skipped ?? false)
  }
  result.tensors = memory().numTensors - tensors
  result.scale = scaler?.scale
  result.parameters = await valuesOf(model.parameters())
  for (const [name, { data }] of await ema.state()) result.averages[name] = data
  optimizer.dispose()
  ema.dispose()
  model.dispose()
  return result
}

const tinyModel = (dropout: number, seed: number): ViTForImageClassification =>
  new ViTForImageClassification(
    {
      imageSize: size,
      patchSize: 4,
      hiddenSize: 8,
      numHiddenLayers: 2,
      numAttentionHeads: 2,
      intermediateSize: 16,
      numChannels: 1,
      hiddenDropoutProb: dropout,
      attentionProbsDropoutProb: dropout,
      numLabels: 3,
    },
    { seed },
  )

/** The loader's shares: one after the other, the first processes one more. */
function shareOf(count: number, step: number, { rank, worldSize }: Collectives): ImageBatch {
  const startOf = (of: number) => of * Math.floor(count / worldSize) + Math.min(of, count % worldSize)
  const [first, end] = [startOf(rank), startOf(rank + 1)]
  const labels = Int32Array.from({ length: end - first }, (_, i) => deriveSeed(step, first + i) % 3)
  const data = Float32Array.from({ length: (end - first) * size * size }, (_, i) => {
    const image = first + Math.floor(i / (size * size))
    return deriveSeed(step, image, i % (size * size)) / 2 ** 32 + (deriveSeed(step, image) % 3) - 1.5
  })
  return { pixelValues: { data, shape: [end - first, 1, size, size] }, labels }
}

async function valuesOf(variables: ReadonlyMap<string, Variable>): Promise<Record<string, Float32Array>> {
  const values: Record<string, Float32Array> = {}
  for (const [name, variable] of variables) values[name] = (await variable.data()).slice() as Float32Array
  return values
}

export interface RunScenario {
  recipe: Recipe
  data: string
  out: string
  resume?: boolean
  /** Leaves out images that cannot be decoded, whose names the result then has. */
  skipBroken?: boolean
  /** This process is told to stop after the step. */
  stopAfter?: number
  /** The run's steps in which it is told during the evaluation. */
  stopInEvaluation?: boolean
}

/** A whole run, or a part of one, as `vitral train` has it. */
async function run(collectives: Collectives, { stopAfter, stopInEvaluation, skipBroken, ...options }: RunScenario) {
  await useBackend('native')
  const skipped: string[] = []
  const onSkipped = skipBroken
    ? (reason: string) => void skipped.push(/\w+\.png/.exec(reason)?.[0] ?? reason)
    : undefined
  const { trainer, model } = await startRun({ ...options, onSkipped, collectives })
  const controller = new AbortController()
  const reports: Record<string, unknown>[] = []
  const onEvaluation = ({ seconds, evaluation, ...report }: EpochReport): void => {
    const { seconds: _, imagesPerSecond, ...found } = evaluation
    reports.push({ ...report, ...found })
  }
  trainer.observe({
    onStep({ imagesPerSecond, ...report }) {
      reports.push({ ...report })
      if (report.step === stopAfter) controller.abort('SIGINT')
    },
    onEvaluationBatch() {
      if (stopInEvaluation) controller.abort('SIGINT')
    },
    onEpoch: onEvaluation,
    onEvaluation,
    onTest({ evaluation: { seconds, imagesPerSecond, ...evaluation }, ...report }) {
      reports.push({ ...report, ...evaluation })
    },
  })
  const { seconds, ...result } = await trainer.train(controller.signal)
  const parameters = await valuesOf(model.parameters())
  await trainer.close()
  model.dispose()
  const files = existsSync(options.out) ? readdirSync(options.out).sort() : []
  return { result, reports, parameters, files, ...(skipBroken && { skipped }) }
}

/** A step in which this process has gradients of these parameters only, each of the value given. */
async function reduction(collectives: Collectives, values: Record<string, number>) {
  await useBackend('native')
  const parameters = new Map(['a', 'b', 'c'].map(name => [name, variable(zeros([2, 3]))]))
  const parallel = new DataParallel(collectives, parameters)
  const gradients = Object.entries(values).map(([name, value]) => [name, fill([2, 3], value)])
  await parallel.share(gradients.length)
  const { grads, unused } = await parallel.reduce({ grads: Object.fromEntries(gradients) })
  const sums = Object.entries(grads).map(([name, sum]) => [name, sum.shape, sum.dataSync()[5]])
  for (const tensor of [...Object.values(grads), ...parameters.values()]) tensor.dispose()
  return { sums, unused }
}

export const scenarios = { steps, run, reduction }
