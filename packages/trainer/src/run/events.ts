/** What a training run tells about itself. */

import type { Evaluation } from '../evaluation/evaluate.ts'
import type { ExampleImages } from '../evaluation/example-images.ts'
import type { RunPosition } from './state.ts'

/** What observers are told of a step. */
export interface StepReport {
  /** 1 for the first. */
  epoch: number
  /** Step of the whole run, 1 for the first. */
  step: number
  /** Done of this epoch. */
  images: number
  /** Learning rate of the step. */
  lr: number
  /** Mean loss of the batch. */
  loss: number
  /** Mean over the images of the epoch so far. */
  meanLoss: number
  /** Norm of all gradients before the clip, where they are clipped by it. */
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

/** What observers are told of an evaluation. */
export interface EpochReport {
  /** 1 for the first. */
  epoch: number
  /** Steps trained so far. */
  step: number
  /** Mean over the images of the epoch, or over those so far. */
  trainLoss: number
  /** Steps of the run so far that the gradient scaler left out; with a gradient scaler. */
  skippedSteps?: number
  /** Metrics of the validation images. */
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
  /** Metrics of the validation images. */
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
  /** Called after each step. */
  onStep?(report: StepReport): void | Promise<void>
  /** Called with the number of validation images done so far. */
  onEvaluationBatch?(done: number): void | Promise<void>
  /** Called after the evaluation at each epoch's end. */
  onEpoch?(report: EpochReport): void | Promise<void>
  /** After an evaluation within an epoch, of a recipe with `evalSteps`. */
  onEvaluation?(report: EpochReport): void | Promise<void>
  /** Called with the number of test images done so far. */
  onTestBatch?(done: number): void | Promise<void>
  /** Once, at the end of a run with test images beside those that choose the best model. */
  onTest?(report: TestReport): void | Promise<void>
  /** Once, when the run is at its end or was stopped, and its state is saved. */
  onEnd?(result: TrainingResult): void | Promise<void>
}

/** What a run came to. */
export interface TrainingResult {
  /** False when the signal stopped the run before its end. */
  finished: boolean
  /** The recipe's `earlyStopping` ended the run before its last epoch. */
  stoppedEarly?: true
  /** Epochs trained so far. */
  epochs: number
  /** Steps trained so far. */
  steps: number
  /** Steps that the gradient scaler left out; with a gradient scaler. */
  skippedSteps?: number
  /** Time that training took, in all its parts. */
  seconds: number
  /** The best evaluation, if there was one. */
  best?: RunPosition['best']
  /** Test of the best model on images that did not choose it; at the end of a run that has some. */
  test?: RunPosition['test']
}
