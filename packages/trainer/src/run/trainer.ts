/** The training loop, in the order of events. */

import type { ViTForImageClassification } from '@vitral/core'
import { deriveSeed } from '@vitral/core/tape'
import { nextTurn } from '#platform' // signals and servers wait for the event loop's
import { anyOf } from '../ddp/exchange.ts'
import { addAttentionMaps } from '../evaluation/attention-maps.ts'
import { isExhausted, judged } from '../evaluation/choose-best.ts'
import { type EvaluateOptions, type Evaluation, evaluate } from '../evaluation/evaluate.ts'
import { ExampleImages } from '../evaluation/example-images.ts'
import type { ImageBatch } from '../step/batch.ts'
import { trainStep } from '../step/train-step.ts'
import type { Training } from './assemble.ts'
import { bestModelOf } from './best-model-of.ts'
import { broadcastState } from './broadcast-state.ts'
import type { LoadOptions } from './checkpoint.ts'
import type { TrainingObserver, TrainingResult } from './events.ts'
import { ObserverGroup } from './observer-group.ts'
import { positionAfterEvaluation, positionAfterStep } from './position-after.ts'
import { epochReport, isAtEnd, stepReport, trainingResult } from './reports.ts'
import { RunFiles, type RunFilesOptions } from './run-files.ts'
import { type RunPosition, type RunState, startOfRun } from './state.ts'

/**
 * Trains a model by a recipe: every epoch is evaluated, the best model kept, the state saved.
 *
 * @example
 * const training = await assemble({ recipe, data: 'data' })
 * const trainer = new Trainer(training, { paths: await openRun('runs/a', recipe, { resume: false }) })
 * await trainer.train() // { finished: true, epochs: 5, best: { epoch: 5, accuracy: 0.61, … }, … }
 */
export class Trainer {
  readonly #training: Training
  readonly #files: RunFiles
  readonly #observers = new ObserverGroup()
  #isSynchronised = false
  #position: RunPosition = { ...startOfRun }
  #started = 0

  /**
   * A trainer of these parts, which writes into a run's folder.
   *
   * @param training disposed with the trainer, but for its model
   */
  constructor(training: Training, files: RunFilesOptions) {
    this.#training = training
    this.#files = new RunFiles(files, { writes: training.collectives.rank === 0 })
  }

  /** Where the run is. */
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
    const saved = await this.#files.load(this.#state(), options)
    if (saved) this.#position = saved
    if (!this.#isAtEnd()) this.#position.test = undefined // the run got more epochs, which may give a better model
    this.#files.countFrom(this.#position)
  }

  /**
   * Trains to the end of the recipe, or until the signal stops it: then the step under way is finished and the state
   * saved, so that a run that is resumed computes what it would have computed without the stop. Of several processes all
   * stop after the same step, whichever is told to, and all begin with the parameters of the first.
   *
   * @throws when an observer threw: the step under way was finished, the others told of it, and the state saved first.
   */
  async train(signal?: AbortSignal): Promise<TrainingResult> {
    await this.#synchronise()
    this.#started = performance.now() - this.#position.seconds * 1000
    while (!this.#isAtEnd() && !(await this.#isToStop(signal))) {
      if (await this.#trainEpoch(signal)) await this.#evaluateParameters('onEpoch', signal)
      await this.#save()
    }
    const failed = await anyOf(this.#training.collectives, this.#observers.failed)
    const tested = !failed && (await this.#testBest(signal))
    const result = trainingResult(this.#training.recipe, this.#position, tested)
    await this.#observers.tell('onEnd', result)
    this.#observers.rethrow(result.steps)
    return result
  }

  /** Frees the optimizer's state, ends the threads that load, and lets others into the run's folder; the model stays. */
  async close(): Promise<void> {
    await this.#training.dispose()
    this.#files.release()
  }

  /** @returns whether the epoch was finished. */
  async #trainEpoch(signal?: AbortSignal): Promise<boolean> {
    const { data } = this.#training
    const { epoch, batch: firstBatch, plan } = this.#position
    if (!(await this.#evaluateWithin(signal))) return false
    for await (const batch of data.train({ epoch, firstBatch, plan })) {
      await this.#step(batch)
      await nextTurn()
      if (await this.#isToStop(signal)) break
      if (!(await this.#evaluateWithin(signal))) break
      if (this.#files.isDue({ step: this.#position.step, seconds: this.#seconds() })) await this.#save()
    }
    return this.#position.batch === data.stepsPerEpoch
  }

  async #step(batch: ImageBatch): Promise<void> {
    const began = performance.now()
    const { recipe, model, optimizer, scheduler, ema, step } = this.#training
    const before = this.#position
    const lr = scheduler(before.step, before.losses)
    optimizer.lr = lr
    const seed = deriveSeed(recipe.seed, before.step)
    const result = await trainStep(model, optimizer, batch, { ...step, seed })
    this.#position = positionAfterStep(before, result)
    if (result.images === 0) return // no image of the batch could be decoded: it keeps its place in the schedule, and is no step
    ema?.update(this.#position.step)
    const seconds = (performance.now() - began) / 1000
    this.#files.requireHeld()
    await this.#observers.tell('onStep', stepReport(recipe, this.#position, result, { lr, seconds }))
  }

  /**
   * The evaluation that the recipe may ask for after so many steps.
   *
   * @returns false when training does not go on after it
   */
  async #evaluateWithin(signal?: AbortSignal): Promise<boolean> {
    const { recipe, data } = this.#training
    const { step, batch, evaluatedStep } = this.#position
    const isDue = recipe.evalSteps !== null && step > evaluatedStep && step % recipe.evalSteps === 0
    if (!isDue || batch === data.stepsPerEpoch) return true // the end of an epoch has its own
    return (await this.#evaluateParameters('onEvaluation', signal)) && !this.#isAtEnd()
  }

  /** @returns false when the signal stopped it. */
  async #evaluateParameters(event: 'onEpoch' | 'onEvaluation', signal?: AbortSignal): Promise<boolean> {
    this.#training.ema?.swap() // the averaged ones, if there are any
    try {
      return await this.#evaluateModel(event, signal)
    } finally {
      this.#training.ema?.swap()
    }
  }

  async #evaluateModel(event: 'onEpoch' | 'onEvaluation', signal?: AbortSignal): Promise<boolean> {
    const { recipe, model, data } = this.#training
    const examples = new ExampleImages()
    const evaluation = await this.#scores(model, data.evaluation(), { examples, event: 'onEvaluationBatch', signal })
    if (!evaluation) return false
    const before = this.#position
    const seconds = this.#seconds()
    const after = positionAfterEvaluation(before, evaluation, { endsEpoch: event === 'onEpoch', seconds })
    const isBest = after.best !== before.best
    const isLast = event === 'onEpoch' || isExhausted(after.scores, recipe.earlyStopping)
    if (isBest) await addAttentionMaps(model, examples.mistakes)
    await this.#files.saveModels(this.#training, { isBest, isLast })
    this.#position = after
    await this.#observers.tell(event, epochReport(recipe, before, { evaluation, examples, isBest, seconds }))
    return true
  }

  /**
   * Tests the best model, once the run has ended and if there are images for it that did not choose it.
   *
   * @returns false when the signal stopped it
   */
  async #testBest(signal?: AbortSignal): Promise<boolean> {
    const { data, collectives } = this.#training
    const { best, test } = this.#position
    if (!data.test || !best || test || !this.#isAtEnd()) return true
    const model = await bestModelOf(collectives, this.#files.best, this.#training.model)
    const examples = new ExampleImages()
    const options = { examples, event: 'onTestBatch', signal } as const
    try {
      const evaluation = await this.#scores(model, data.test.batches(), options)
      if (!evaluation) return false
      await addAttentionMaps(model, examples.mistakes)
      this.#position.test = judged(evaluation)
      await this.#observers.tell('onTest', { epoch: best.epoch, evaluation, examples })
    } finally {
      model.dispose()
    }
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
    const { recipe, data, collectives } = this.#training
    return evaluate(model, batches, {
      labels: data.labels,
      precision: recipe.precision,
      multiLabel: data.multiLabel,
      onBatch: done => void this.#observers.tell(event, done),
      ...options,
      collectives,
    })
  }

  async #save(): Promise<void> {
    this.#position.plan = this.#training.data.plan
    this.#position.seconds = this.#seconds()
    await this.#files.save(this.#position, this.#state())
  }

  /** Once: from then on every process computes the same. */
  async #synchronise(): Promise<void> {
    const { collectives } = this.#training
    if (this.#isSynchronised || collectives.worldSize === 1) return
    this.#position = await broadcastState(collectives, this.#position, this.#state())
    this.#files.countFrom(this.#position)
    this.#isSynchronised = true
  }

  #isAtEnd(): boolean {
    return isAtEnd(this.#training.recipe, this.#position)
  }

  /** Whether one of the processes is told to stop, or an observer of one threw. */
  #isToStop(signal?: AbortSignal): Promise<boolean> {
    return anyOf(this.#training.collectives, signal?.aborted || this.#observers.failed)
  }

  #state(): RunState {
    const { model, optimizer, scaler, ema } = this.#training
    return { parameters: model.parameters(), optimizer, scaler, ema }
  }

  #seconds(): number {
    return (performance.now() - this.#started) / 1000
  }
}
