/** The training loop, in the order of events. */
import { setImmediate as nextTurn } from 'node:timers/promises' // signals and servers wait for the event loop's
import { deriveSeed, type Loss, ViTForImageClassification } from '@vitral/core'
import { saveBestModel } from './best-model.ts'
import { type CheckpointOptions, isDue, type LoadOptions, loadCheckpoint, saveCheckpoint } from './checkpoint.ts'
import type { TrainingData } from './data.ts'
import { evaluate } from './evaluate.ts'
import { GradScaler } from './grad-scaler.ts'
import { createLoss } from './losses.ts'
import { createModelEma, type ModelEma } from './model-ema.ts'
import { ObserverGroup } from './observer-group.ts'
import type { Optimizer } from './optimizers/index.ts'
import type { Recipe } from './recipe.ts'
import { recipeOptimizer } from './recipe-optimizer.ts'
import { recipeStep } from './recipe-step.ts'
import { ExampleImages } from './report/example-images.ts'
import type { RunPaths } from './run-folder.ts'
import type { RunLock } from './run-lock.ts'
import { type RunPosition, type RunState, startOfRun } from './run-state.ts'
import { recipeScheduler, type Scheduler } from './schedules/index.ts'
import { type ImageBatch, trainStep } from './train-step.ts'
import type { EpochReport, StepReport, TrainingObserver, TrainingResult } from './training-events.ts'

export interface TrainerParts {
  recipe: Recipe
  model: ViTForImageClassification
  /** @default the recipe's, without a teacher */
  loss?: Loss
  /** What prepares an image as the evaluation did; saved with the best model. */
  processor: { savePretrained(folder: string): Promise<void> }
  data: TrainingData
  paths: RunPaths
  checkpoints?: CheckpointOptions
  /** Of the run's folder; released with the trainer. */
  lock?: RunLock
}

/**
 * Trains a model by a recipe: every epoch is evaluated, the best model kept, the state saved.
 *
 * @example
 * const trainer = new Trainer({ recipe, model, processor, data, paths: runPaths('runs/a') })
 * await trainer.train() // { finished: true, epochs: 5, best: { epoch: 5, accuracy: 0.61, … }, … }
 */
export class Trainer {
  readonly #parts: TrainerParts
  readonly #observers = new ObserverGroup()
  readonly #optimizer: Optimizer
  readonly #scheduler: Scheduler
  readonly #loss: Loss
  readonly #scaler?: GradScaler
  readonly #ema?: ModelEma
  #position: RunPosition = { ...startOfRun }
  #saved: Pick<RunPosition, 'step' | 'seconds'> = startOfRun
  #started = 0

  constructor(parts: TrainerParts) {
    this.#parts = parts
    const { recipe, model, data } = parts
    this.#optimizer = recipeOptimizer(recipe, model)
    this.#scheduler = recipeScheduler(recipe, this.#optimizer.lr, data.stepsPerEpoch)
    const { name: lossName, ...lossOptions } = recipe.loss
    this.#loss = parts.loss ?? createLoss(lossName, lossOptions)
    if (recipe.gradScaler) this.#scaler = new GradScaler(recipe.gradScaler)
    if (recipe.ema) this.#ema = createModelEma(model.trainableParameters(), recipe.ema)
  }

  get position(): Readonly<RunPosition> {
    return this.#position
  }

  /** Adds one who is told what happens, after those before. */
  observe(observer: TrainingObserver): void {
    this.#observers.add(observer)
  }

  /** Goes back to the newest whole checkpoint of the run's folder; without one the run begins anew. */
  async resume(options: LoadOptions = {}): Promise<void> {
    const { paths } = this.#parts
    const saved = await loadCheckpoint(paths.checkpoints, this.#state(), options)
    if (saved) this.#position = saved
    this.#saved = { ...this.#position }
  }

  /**
   * Trains to the end of the recipe, or until the signal stops it: then the step under way is finished and the state
   * saved, so that a run that is resumed computes what it would have computed without the stop.
   *
   * @throws when an observer threw: the step under way was finished, the others told of it, and the state saved first.
   */
  async train(signal?: AbortSignal): Promise<TrainingResult> {
    const { recipe } = this.#parts
    this.#started = performance.now() - this.#position.seconds * 1000
    while (this.#position.epoch < recipe.epochs && !signal?.aborted && !this.#observers.failed) {
      if (await this.#trainEpoch(signal)) await this.#evaluateEpoch(signal)
      await this.#save()
    }
    const tested = !this.#observers.failed && (await this.#testBest(signal))
    this.#observers.rethrow(this.#position.step)
    const { epoch, step, seconds, best, test } = this.#position
    return { finished: epoch === recipe.epochs && tested, epochs: epoch, steps: step, seconds, best, test }
  }

  /** Frees the optimizer's state, ends the threads that load, and lets others into the run's folder; the model stays. */
  async close(): Promise<void> {
    this.#optimizer.dispose()
    this.#ema?.dispose()
    await this.#parts.data.close()
    this.#parts.lock?.release()
  }

  /** @returns whether the epoch was finished. */
  async #trainEpoch(signal?: AbortSignal): Promise<boolean> {
    const { data } = this.#parts
    const { epoch, batch: firstBatch, plan } = this.#position
    for await (const batch of data.train({ epoch, firstBatch, plan })) {
      await this.#step(batch)
      await nextTurn()
      if (signal?.aborted || this.#observers.failed) break
      if (isDue(this.#saved, { step: this.#position.step, seconds: this.#seconds() }, this.#parts.checkpoints))
        await this.#save()
    }
    return this.#position.batch === data.stepsPerEpoch
  }

  async #step(batch: ImageBatch): Promise<void> {
    const began = performance.now()
    const { recipe, model } = this.#parts
    const position = this.#position
    const lr = this.#scheduler(position.step, position.losses)
    this.#optimizer.lr = lr
    const { loss, gradNorm } = await trainStep(model, this.#optimizer, batch, {
      seed: deriveSeed(recipe.seed, position.step),
      loss: this.#loss,
      scaler: this.#scaler,
      ...recipeStep(recipe),
    })
    const count = batch.labels.length
    const images = position.batch * recipe.batchSize + count
    position.batch++
    position.step++
    position.lossSum += loss
    this.#ema?.update(position.step)
    const report: StepReport = {
      epoch: position.epoch + 1,
      step: position.step,
      images,
      lr,
      loss,
      meanLoss: position.lossSum / position.batch,
      gradNorm,
      imagesPerSecond: (count / (performance.now() - began)) * 1000,
    }
    await this.#observers.tell('onStep', report)
  }

  /** Closes the epoch with its evaluation, of the averaged parameters if there are any. */
  async #evaluateEpoch(signal?: AbortSignal): Promise<void> {
    this.#ema?.swap()
    try {
      await this.#evaluateModel(signal)
    } finally {
      this.#ema?.swap()
    }
  }

  /** Does nothing when the signal stops it. */
  async #evaluateModel(signal?: AbortSignal): Promise<void> {
    const { recipe, model, data } = this.#parts
    const examples = new ExampleImages()
    const evaluation = await evaluate(model, data.evaluation(), {
      labels: data.labels,
      precision: recipe.precision,
      examples,
      onBatch: done => void this.#observers.tell('onEvaluationBatch', done),
      signal,
    })
    if (!evaluation) return
    const { epoch: epochsBefore, batch, step, lossSum, best } = this.#position
    const epoch = epochsBefore + 1
    const { accuracy, loss } = evaluation
    const isBest = best === undefined || accuracy > best.accuracy
    if (isBest) await this.#saveBest()
    const seconds = this.#seconds()
    const losses = [...this.#position.losses, loss]
    this.#position = { ...startOfRun, epoch, step, seconds, losses, best: isBest ? { epoch, accuracy, loss } : best }
    const report: EpochReport = { epoch, step, trainLoss: lossSum / batch, evaluation, examples, isBest, seconds }
    await this.#observers.tell('onEpoch', report)
  }

  async #saveBest(): Promise<void> {
    const { recipe, model, processor, paths } = this.#parts
    await saveBestModel(paths, { model, processor, baseModel: recipe.model.pretrained })
  }

  /**
   * Tests the best model, once the run has ended and if there are images for it that did not choose it.
   *
   * @returns false when the signal stopped it
   */
  async #testBest(signal?: AbortSignal): Promise<boolean> {
    const { recipe, data, paths } = this.#parts
    const { epoch, best, test } = this.#position
    if (!data.test || !best || test || epoch < recipe.epochs) return true
    const model = await ViTForImageClassification.fromPretrained(paths.best)
    const examples = new ExampleImages()
    const evaluation = await evaluate(model, data.test.batches(), {
      labels: data.labels,
      precision: recipe.precision,
      examples,
      onBatch: done => void this.#observers.tell('onTestBatch', done),
      signal,
    }).finally(() => model.dispose())
    if (!evaluation) return false
    const { accuracy, loss } = evaluation
    this.#position.test = { accuracy, loss }
    await this.#observers.tell('onTest', { epoch: best.epoch, evaluation, examples })
    await this.#save()
    return true
  }

  async #save(): Promise<void> {
    const { paths, data, checkpoints } = this.#parts
    this.#position.plan = data.plan
    this.#position.seconds = this.#seconds()
    await saveCheckpoint(paths.checkpoints, this.#position, this.#state(), checkpoints)
    this.#saved = { ...this.#position }
  }

  #state(): RunState {
    const parameters = this.#parts.model.parameters()
    return { parameters, optimizer: this.#optimizer, scaler: this.#scaler, ema: this.#ema }
  }

  #seconds(): number {
    return (performance.now() - this.#started) / 1000
  }
}
