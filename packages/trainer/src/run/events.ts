/** What a training run tells about itself. */

import type { Evaluation } from '../evaluation/evaluate.ts'
import type { ExampleImages } from '../evaluation/example-images.ts'
import type { RunPosition } from './state.ts'

export interface StepReport {
  /** 1 for the first. */
  epoch: number
  /** Step of the whole run, 1 for the first. */
  step: number
  /** Done of this epoch. */
  images: number
  lr: number
  loss: number
  /** Mean over the images of the epoch so far. */
  meanLoss: number
  gradNorm?: number
  /** The gradient scaler left this step out, since a gradient overflowed. */
  skipped?: true
  /** Steps of the run so far that it left out; with a gradient scaler. */
  skippedSteps?: number
  /** In this step, without the loading of its batch. */
  imagesPerSecond: number
  /** Had no gradient in some process that had images, while they had one in others; where there are such. */
  unusedParameters?: string[]
}

export interface EpochReport {
  epoch: number
  step: number
  /** Mean over the images of the epoch, or over those so far. */
  trainLoss: number
  /** Steps of the run so far that the gradient scaler left out; with a gradient scaler. */
  skippedSteps?: number
  evaluation: Evaluation
  /** The images that it was surest of. */
  examples: ExampleImages
  /** Whether no evaluation before was as good: by accuracy or mean average precision, and of equal ones by loss. */
  isBest: boolean
  /** Seconds of training and evaluation since the beginning of the run. */
  seconds: number
}

/** The test of the best model, on images that did not choose it. */
export interface TestReport {
  /** Epoch of the best model. */
  epoch: number
  evaluation: Evaluation
  /** The images that it was surest of. */
  examples: ExampleImages
}

/**
 * Is told what happens, in the order in which it happens. The run waits for a promise that is returned, but for those of
 * `onEvaluationBatch` and `onTestBatch`. An observer that throws stops the run: the step is finished, the other observers
 * are told of it, the state is saved, and `train` throws. To stop a run without an error, abort the signal given to
 * `train`.
 */
export interface TrainingObserver {
  onStep?(report: StepReport): void | Promise<void>
  onEvaluationBatch?(done: number): void | Promise<void>
  onEpoch?(report: EpochReport): void | Promise<void>
  /** After an evaluation within an epoch, of a recipe with `evalSteps`. */
  onEvaluation?(report: EpochReport): void | Promise<void>
  onTestBatch?(done: number): void | Promise<void>
  /** Once, at the end of a run with test images beside those that choose the best model. */
  onTest?(report: TestReport): void | Promise<void>
  /** Once, when the run is at its end or was stopped, and its state is saved. */
  onEnd?(result: TrainingResult): void | Promise<void>
}

export interface TrainingResult {
  /** False when the signal stopped the run before its end. */
  finished: boolean
  /** The recipe's `earlyStopping` ended the run before its last epoch. */
  stoppedEarly?: true
  epochs: number
  steps: number
  /** Steps that the gradient scaler left out; with a gradient scaler. */
  skippedSteps?: number
  seconds: number
  best?: RunPosition['best']
  /** Test of the best model on images that did not choose it; at the end of a run that has some. */
  test?: RunPosition['test']
}
