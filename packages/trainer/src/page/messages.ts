/** What a page and the worker that trains tell each other. */
import type { BackendChoice, BackendName, ParameterCounts } from '@vitral/core'
import type { DatasetSource } from '@vitral/datasets'
import type { Recipe } from '../recipe/types.ts'
import type { FineTuneRecipeOptions } from '../recipes/fine-tune.ts'
import type { CheckpointOptions } from '../run/checkpoint.ts'
import type { EpochReport, StepReport, TestReport, TrainingResult } from '../run/events.ts'

/** Fine-tuning by `fineTuneRecipe`, which the worker calls: the page needs no model for it. */
export interface FineTuneRequest extends Omit<FineTuneRecipeOptions, 'dataset' | 'data' | 'hub'> {
  /** Fields of the recipe to set, as `--set` of the command does: ['epochs=3', 'seed=1']. @default none */
  set?: readonly string[]
}

/** What a run is started with, as structured cloning can send it. */
export interface SentRun {
  recipe: Recipe | FineTuneRequest
  out: string
  resume: boolean
  backend: 'auto' | BackendName
  data: { train: DatasetSource; validation?: DatasetSource; test?: DatasetSource }
  workers?: number
  skipBroken: boolean
  tensorboard: boolean
  checkpoints?: CheckpointOptions
}

export type ToWorker = { start: SentRun } | { order: 'pause' | 'resume' | 'stop' }

/** A run that has been prepared and begins. */
export interface StartReport {
  /** The backend that computes, and with 'auto' why not those before it. */
  backend: BackendChoice
  /** Names of the classes, in the order of the labels. */
  labels: readonly string[]
  /** How many images it is trained on. */
  trainImages: number
  /** How many images choose the best model. */
  evaluationImages: number
  /** The recipe's. */
  epochs: number
  /** Batches of an epoch. */
  stepsPerEpoch: number
  /** Steps trained before, of a run that is resumed. */
  step: number
  /** How many numbers the model has, and how many of them train. */
  parameters: ParameterCounts
  /** What was understood of the data and the model, in lines. */
  notes: readonly string[]
}

/** Reports by the events of a run; without the images of an evaluation, which are in its report.html. */
export interface PageReports {
  /** Once, before the first step. */
  onStart: StartReport
  /** After each step. */
  onStep: StepReport
  /** Images done, in an evaluation. */
  onEvaluationBatch: number
  /** After the evaluation of each epoch. */
  onEpoch: Omit<EpochReport, 'examples'>
  /** After an evaluation within an epoch, of a recipe with `evalSteps`. */
  onEvaluation: Omit<EpochReport, 'examples'>
  /** Images done, in the test of the best model. */
  onTestBatch: number
  /** Once, at the end of a run with test images. */
  onTest: Omit<TestReport, 'examples'>
  /** Why an image is left out, or a checkpoint passed over. */
  onWarning: string
}

export interface SentError {
  name: string
  message: string
  stack?: string
}

export type FromWorker =
  | { [Event in keyof PageReports]: { event: Event; report: PageReports[Event] } }[keyof PageReports]
  | { result: TrainingResult }
  | { error: SentError }
