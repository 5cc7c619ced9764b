/** Turns what a run tells into a few messages a second for the page. */
import type { TrainingData } from '../data/training-data.ts'
import type { Recipe } from '../recipe/types.ts'
import type { EpochReport, TrainingObserver } from '../run/events.ts'
import { type EvaluationPoint, evaluationPoint, type StepPoint, stepPoint } from './history.ts'

/** The run that a dashboard shows. */
export interface WatchedRun {
  /** Folder of the run. */
  out: string
  /** The run's recipe. */
  recipe: Recipe
  /** Sizes of the run's data. */
  data: Pick<TrainingData, 'stepsPerEpoch' | 'trainImages' | 'evaluationImages' | 'test'>
}

export interface Progress {
  /** 'training', 'evaluating', 'testing', or how the run ended. */
  state: string
  epoch: number
  epochs: number
  step: number
  totalSteps: number
  /** Images done of this epoch, of its evaluation, or of the test at the end. */
  images: number
  totalImages: number
  /** Seconds left of the whole run, at the speed so far; not known before the second step. */
  secondsLeft?: number
  /** Accuracy of the best model on images that did not choose it, once the run has ended. */
  testAccuracy?: number
}

/** What is new since the message before. */
export interface Changes {
  steps: StepPoint[]
  evaluations: EvaluationPoint[]
  progress: Progress
}

/** Milliseconds between two messages. */
const interval = 250

/**
 * @param send is given what is new, four times a second at most
 * @returns what to tell of the run, and where the run stands
 */
export function runProgress(
  {
    recipe: { epochs },
    data: { stepsPerEpoch, trainImages, evaluationImages, test },
  }: Pick<WatchedRun, 'recipe' | 'data'>,
  send: (changes: Changes) => void,
  now: () => number = Date.now,
): { observer: TrainingObserver; progress: () => Progress } {
  const totalSteps = epochs * stepsPerEpoch
  let progress: Progress = {
    state: 'training',
    epoch: 1,
    epochs,
    step: 0,
    totalSteps,
    images: 0,
    totalImages: trainImages,
  }
  let pending: Pick<Changes, 'steps' | 'evaluations'> = { steps: [], evaluations: [] }
  let sent = Number.NEGATIVE_INFINITY
  /** The first step of this process: the speed is measured from there. */
  let first: { time: number; step: number } | undefined

  const sendChanges = ({ atOnce = false } = {}) => {
    if (!atOnce && now() - sent < interval) return
    sent = now()
    send({ ...pending, progress })
    pending = { steps: [], evaluations: [] }
  }
  const secondsLeft = (step: number): number | undefined => {
    first ??= { time: now(), step }
    if (step === first.step) return undefined
    return (((now() - first.time) / (step - first.step)) * (totalSteps - step)) / 1000
  }
  const onEvaluation = ({ epoch, step, evaluation, seconds }: EpochReport): void => {
    pending.evaluations.push(evaluationPoint({ epoch, step, ...evaluation, seconds }))
    sendChanges({ atOnce: true })
  }
  const observer: TrainingObserver = {
    onStep(report) {
      const { epoch, step, images } = report
      pending.steps.push(stepPoint(report))
      progress = { ...progress, state: 'training', epoch, step, images, totalImages: trainImages }
      progress.secondsLeft = secondsLeft(step)
      sendChanges()
    },
    onEvaluationBatch(done) {
      progress = { ...progress, state: 'evaluating', images: done, totalImages: evaluationImages }
      sendChanges()
    },
    onEpoch: onEvaluation,
    onEvaluation,
    onTestBatch(done) {
      progress = { ...progress, state: 'testing', images: done, totalImages: test?.images ?? done }
      sendChanges()
    },
    onTest({ evaluation: { accuracy } }) {
      progress = { ...progress, testAccuracy: accuracy }
      sendChanges({ atOnce: true })
    },
  }
  return { observer, progress: () => progress }
}
