/** The training loop, in the order of events. */
import { deriveSeed, type ViTForImageClassification } from '@vitral/core'
import { loadCheckpoint, type RunPosition, saveCheckpoint, startOfRun } from './checkpoint.ts'
import type { TrainingData } from './data.ts'
import { evaluate } from './evaluate.ts'
import { createOptimizer, type Optimizer } from './optimizers/index.ts'
import type { Recipe } from './recipe.ts'
import type { RunPaths } from './run-folder.ts'
import { recipeScheduler, type Scheduler } from './schedules.ts'
import { type ImageBatch, trainStep } from './train-step.ts'
import type { EpochReport, StepReport, TrainingObserver, TrainingResult } from './training-events.ts'

export interface TrainerParts {
  recipe: Recipe
  model: ViTForImageClassification
  /** What prepares an image as the evaluation did; saved with the best model. */
  processor: { savePretrained(folder: string): Promise<void> }
  data: TrainingData
  paths: RunPaths
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
  readonly #observers: TrainingObserver[] = []
  readonly #optimizer: Optimizer
  readonly #scheduler: Scheduler
  #position: RunPosition = { ...startOfRun }
  #started = 0

  constructor(parts: TrainerParts) {
    this.#parts = parts
    const { recipe, model, data } = parts
    const { name, ...options } = recipe.optimizer
    this.#optimizer = createOptimizer(name, model.trainableParameters(), options)
    this.#scheduler = recipeScheduler(recipe, this.#optimizer.lr, data.stepsPerEpoch)
  }

  get position(): Readonly<RunPosition> {
    return this.#position
  }

  /** Adds one who is told what happens, after those before. */
  observe(observer: TrainingObserver): void {
    this.#observers.push(observer)
  }

  /** Goes back to the newest checkpoint of the run's folder; without one the run begins anew. */
  async resume(): Promise<void> {
    const { paths, model } = this.#parts
    const saved = await loadCheckpoint(paths.checkpoints, model.parameters(), this.#optimizer)
    if (saved) this.#position = saved
  }

  /**
   * Trains to the end of the recipe, or until the signal stops it: then the step under way is finished and the state
   * saved, so that a run that is resumed computes what it would have computed without the stop.
   */
  async train(signal?: AbortSignal): Promise<TrainingResult> {
    const { recipe } = this.#parts
    this.#started = performance.now() - this.#position.seconds * 1000
    while (this.#position.epoch < recipe.epochs && !signal?.aborted) {
      if (await this.#trainEpoch(signal)) await this.#evaluateEpoch(signal)
      await this.#save()
    }
    const { epoch, step, seconds, best } = this.#position
    return { finished: epoch === recipe.epochs, epochs: epoch, steps: step, seconds, best }
  }

  /** Frees the optimizer's state and ends the threads that load; the model stays. */
  async close(): Promise<void> {
    this.#optimizer.dispose()
    await this.#parts.data.close()
  }

  /** @returns whether the epoch was finished. */
  async #trainEpoch(signal?: AbortSignal): Promise<boolean> {
    const { data } = this.#parts
    const { epoch, batch: firstBatch, plan } = this.#position
    for await (const batch of data.train({ epoch, firstBatch, plan })) {
      await this.#step(batch)
      if (signal?.aborted) break
    }
    return this.#position.batch === data.stepsPerEpoch
  }

  async #step(batch: ImageBatch): Promise<void> {
    const began = performance.now()
    const { recipe, model } = this.#parts
    const position = this.#position
    const lr = this.#scheduler(position.step)
    this.#optimizer.lr = lr
    const { loss, gradNorm } = await trainStep(model, this.#optimizer, batch, {
      seed: deriveSeed(recipe.seed, position.step),
      labelSmoothing: recipe.labelSmoothing,
      precision: recipe.precision,
      gradientCheckpointing: recipe.gradientCheckpointing,
      clipGradNorm: recipe.clipGradNorm ?? undefined,
    })
    const count = batch.labels.length
    const images = position.batch * recipe.batchSize + count
    position.batch++
    position.step++
    position.lossSum += loss
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
    for (const observer of this.#observers) observer.onStep?.(report)
  }

  /** Closes the epoch with its evaluation; does nothing when the signal stops it. */
  async #evaluateEpoch(signal?: AbortSignal): Promise<void> {
    const { recipe, model, data } = this.#parts
    const evaluation = await evaluate(model, data.evaluation(), {
      labels: data.labels,
      precision: recipe.precision,
      onBatch: done => {
        for (const observer of this.#observers) observer.onEvaluationBatch?.(done)
      },
      signal,
    })
    if (!evaluation) return
    const { epoch: epochsBefore, batch, step, lossSum, best } = this.#position
    const epoch = epochsBefore + 1
    const { accuracy, loss } = evaluation
    const isBest = best === undefined || accuracy > best.accuracy
    if (isBest) await this.#saveBest()
    const seconds = this.#seconds()
    this.#position = { ...startOfRun, epoch, step, seconds, best: isBest ? { epoch, accuracy, loss } : best }
    const report: EpochReport = { epoch, step, trainLoss: lossSum / batch, evaluation, isBest, seconds }
    for (const observer of this.#observers) observer.onEpoch?.(report)
  }

  async #saveBest(): Promise<void> {
    const { recipe, model, processor, paths } = this.#parts
    for (const part of [model, processor]) await part.savePretrained(paths.best)
    if (model.adapters) await model.saveAdapters(paths.adapters, { baseModel: recipe.model.pretrained })
  }

  async #save(): Promise<void> {
    const { paths, model, data } = this.#parts
    this.#position.plan = data.plan
    this.#position.seconds = this.#seconds()
    await saveCheckpoint(paths.checkpoints, this.#position, model.parameters(), this.#optimizer)
  }

  #seconds(): number {
    return (performance.now() - this.#started) / 1000
  }
}
