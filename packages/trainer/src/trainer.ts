/** The training loop, in the order of events. */
import { setImmediate as nextTurn } from 'node:timers/promises' // signals and servers wait for the event loop's
import { deriveSeed, type ViTForImageClassification } from '@vitral/core'
import { saveBestModel } from './best-model.ts'
import { isDue, type LoadOptions, loadCheckpoint, saveCheckpoint } from './checkpoint.ts'
import { bestModelOf } from './ddp/best-model-of.ts'
import { broadcastState } from './ddp/broadcast-state.ts'
import { alone, type Collectives } from './ddp/collectives.ts'
import { anyOf } from './ddp/exchange.ts'
import { type EvaluateOptions, type Evaluation, evaluate } from './evaluate.ts'
import { ObserverGroup } from './observer-group.ts'
import { recipeStep } from './recipe-step.ts'
import { ExampleImages } from './report/example-images.ts'
import { type RunPosition, type RunState, startOfRun } from './run-state.ts'
import { type ImageBatch, trainStep } from './train-step.ts'
import type { TrainerParts } from './trainer-parts.ts'
import type { EpochReport, StepReport, TrainingObserver, TrainingResult } from './training-events.ts'
import { type TrainingTools, trainingTools } from './training-tools.ts'

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
  readonly #tools: TrainingTools
  readonly #collectives: Collectives
  #isSynchronised = false
  #position: RunPosition = { ...startOfRun }
  #saved: Pick<RunPosition, 'step' | 'seconds'> = startOfRun
  #started = 0

  constructor(parts: TrainerParts) {
    this.#parts = parts
    this.#collectives = parts.collectives ?? alone
    this.#tools = trainingTools(parts, this.#collectives)
  }

  get position(): Readonly<RunPosition> {
    return this.#position
  }

  /** Adds one who is told what happens, after those before. */
  observe(observer: TrainingObserver): void {
    this.#observers.add(observer)
  }

  /**
   * Goes back to the newest whole checkpoint of the run's folder; without one the run begins anew. Of several processes the
   * first alone reads it; `train` gives the others what it holds.
   */
  async resume(options: LoadOptions = {}): Promise<void> {
    const { paths } = this.#parts
    if (!this.#writes) return
    const saved = await loadCheckpoint(paths.checkpoints, this.#state(), options)
    if (saved) this.#position = saved
    this.#saved = { ...this.#position }
  }

  /**
   * Trains to the end of the recipe, or until the signal stops it: then the step under way is finished and the state
   * saved, so that a run that is resumed computes what it would have computed without the stop. Of several processes all
   * stop after the same step, whichever is told to, and all begin with the parameters of the first.
   *
   * @throws when an observer threw: the step under way was finished, the others told of it, and the state saved first.
   */
  async train(signal?: AbortSignal): Promise<TrainingResult> {
    const { recipe } = this.#parts
    await this.#synchronise()
    this.#started = performance.now() - this.#position.seconds * 1000
    while (this.#position.epoch < recipe.epochs && !(await this.#isToStop(signal))) {
      if (await this.#trainEpoch(signal)) await this.#evaluateEpoch(signal)
      await this.#save()
    }
    const failed = await anyOf(this.#collectives, this.#observers.failed)
    const tested = !failed && (await this.#testBest(signal))
    const { epoch, step, seconds, best, test } = this.#position
    const finished = epoch === recipe.epochs && tested
    const result: TrainingResult = { finished, epochs: epoch, steps: step, seconds, best, test }
    await this.#observers.tell('onEnd', result)
    this.#observers.rethrow(step)
    return result
  }

  /** Frees the optimizer's state, ends the threads that load, and lets others into the run's folder; the model stays. */
  async close(): Promise<void> {
    this.#tools.optimizer.dispose()
    this.#tools.ema?.dispose()
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
      if (await this.#isToStop(signal)) break
      if (isDue(this.#saved, { step: this.#position.step, seconds: this.#seconds() }, this.#parts.checkpoints))
        await this.#save()
    }
    return this.#position.batch === data.stepsPerEpoch
  }

  async #step(batch: ImageBatch): Promise<void> {
    const began = performance.now()
    const { recipe, model } = this.#parts
    const position = this.#position
    const { optimizer, scheduler, ema, ...tools } = this.#tools
    const lr = scheduler(position.step, position.losses)
    optimizer.lr = lr
    const {
      loss,
      gradNorm,
      images: count,
      unused,
    } = await trainStep(model, optimizer, batch, {
      seed: deriveSeed(recipe.seed, position.step),
      ...tools,
      ...recipeStep(recipe),
    })
    if (count === 0) {
      // No image of the batch could be decoded: it keeps its place in the schedule, and is no step.
      position.batch++
      position.step++
      return
    }
    const images = position.batch * recipe.batchSize + count
    position.batch++
    position.step++
    position.lossSum += loss
    ema?.update(position.step)
    const report: StepReport = {
      epoch: position.epoch + 1,
      step: position.step,
      images,
      lr,
      loss,
      meanLoss: position.lossSum / position.batch,
      gradNorm,
      imagesPerSecond: (count / (performance.now() - began)) * 1000,
      ...(unused && { unusedParameters: unused }),
    }
    this.#parts.lock?.requireHeld()
    await this.#observers.tell('onStep', report)
  }

  /** Closes the epoch with its evaluation, of the averaged parameters if there are any. */
  async #evaluateEpoch(signal?: AbortSignal): Promise<void> {
    this.#tools.ema?.swap()
    try {
      await this.#evaluateModel(signal)
    } finally {
      this.#tools.ema?.swap()
    }
  }

  /** Does nothing when the signal stops it. */
  async #evaluateModel(signal?: AbortSignal): Promise<void> {
    const { model, data } = this.#parts
    const examples = new ExampleImages()
    const evaluation = await this.#scores(model, data.evaluation(), { examples, event: 'onEvaluationBatch', signal })
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
    if (!this.#writes) return
    this.#parts.lock?.requireHeld()
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
    const model = await bestModelOf(this.#collectives, paths.best, this.#parts.model)
    const examples = new ExampleImages()
    const options = { examples, event: 'onTestBatch', signal } as const
    const evaluation = await this.#scores(model, data.test.batches(), options).finally(() => model.dispose())
    if (!evaluation) return false
    const { accuracy, loss } = evaluation
    this.#position.test = { accuracy, loss }
    await this.#observers.tell('onTest', { epoch: best.epoch, evaluation, examples })
    await this.#save()
    return true
  }

  #scores(
    model: ViTForImageClassification,
    batches: AsyncIterable<ImageBatch>,
    {
      event,
      ...options
    }: Pick<EvaluateOptions, 'examples' | 'signal'> & { event: 'onEvaluationBatch' | 'onTestBatch' },
  ): Promise<Evaluation | undefined> {
    const { recipe, data } = this.#parts
    return evaluate(model, batches, {
      labels: data.labels,
      precision: recipe.precision,
      multiLabel: data.multiLabel,
      onBatch: done => void this.#observers.tell(event, done),
      ...options,
      collectives: this.#collectives,
    })
  }

  async #save(): Promise<void> {
    const { paths, data, checkpoints } = this.#parts
    this.#position.plan = data.plan
    this.#position.seconds = this.#seconds()
    if (!this.#writes) return
    this.#parts.lock?.requireHeld()
    await saveCheckpoint(paths.checkpoints, this.#position, this.#state(), checkpoints)
    this.#saved = { ...this.#position }
  }

  /** Once: from then on every process computes the same. */
  async #synchronise(): Promise<void> {
    if (this.#isSynchronised || this.#collectives.worldSize === 1) return
    this.#position = await broadcastState(this.#collectives, this.#position, this.#state())
    this.#saved = { ...this.#position }
    this.#isSynchronised = true
  }

  /** Whether one of the processes is told to stop, or an observer of one threw. */
  #isToStop(signal?: AbortSignal): Promise<boolean> {
    return anyOf(this.#collectives, signal?.aborted || this.#observers.failed)
  }

  /** Of several processes the first writes to the run's folder, and it alone. */
  get #writes(): boolean {
    return this.#collectives.rank === 0
  }

  #state(): RunState {
    const { optimizer, scaler, ema } = this.#tools
    return { parameters: this.#parts.model.parameters(), optimizer, scaler, ema }
  }

  #seconds(): number {
    return (performance.now() - this.#started) / 1000
  }
}
