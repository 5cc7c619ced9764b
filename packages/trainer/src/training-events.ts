/** What a training run tells about itself. */
import type { RunPosition } from './checkpoint.ts'
import type { Evaluation } from './evaluate.ts'

export interface StepReport {
  /** 1 for the first. */
  epoch: number
  /** Of the whole run, 1 for the first. */
  step: number
  /** Done of this epoch. */
  images: number
  lr: number
  loss: number
  /** Mean over the epoch so far. */
  meanLoss: number
  gradNorm?: number
  /** In this step, without the loading of its batch. */
  imagesPerSecond: number
}

export interface EpochReport {
  epoch: number
  step: number
  trainLoss: number
  evaluation: Evaluation
  /** Whether no evaluation before was as accurate. */
  isBest: boolean
  /** Of training and evaluation, since the beginning of the run. */
  seconds: number
}

/**
 * Is told what happens, in the order in which it happens. The run waits for a promise that is returned, but for that of
 * `onEvaluationBatch`. An observer that throws stops the run: the step is finished, the other observers are told of it,
 * the state is saved, and `train` throws. To stop a run without an error, abort the signal given to `train`.
 */
export interface TrainingObserver {
  onStep?(report: StepReport): void | Promise<void>
  onEvaluationBatch?(done: number): void | Promise<void>
  onEpoch?(report: EpochReport): void | Promise<void>
}

export interface TrainingResult {
  /** False when the signal stopped the run before its end. */
  finished: boolean
  epochs: number
  steps: number
  seconds: number
  best?: RunPosition['best']
}
