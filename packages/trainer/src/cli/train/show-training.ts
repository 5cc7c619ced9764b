/** A training run as a person at the terminal sees it. */
import { listNames } from '@vitral/core/text'
import type { TrainingData } from '../../data/training-data.ts'
import { duration } from '../../format.ts'
import type { Recipe } from '../../recipe/types.ts'
import type { EpochReport, TrainingObserver } from '../../run/events.ts'
import { mainFacts } from '../describe-evaluation.ts'
import type { Progress } from '../progress.ts'

/** Keeps the progress line, and leaves one line for each epoch. */
export function showTraining(
  progress: Progress,
  { epochs }: Recipe,
  { trainImages, evaluationImages, test }: TrainingData,
): TrainingObserver {
  let title = ''
  const told = new Set<string>()
  return {
    onStep({ epoch, images, meanLoss, skippedSteps = 0, unusedParameters = [] }) {
      const unused = unusedParameters.filter(name => !told.has(name))
      for (const name of unused) told.add(name)
      if (unused.length > 0) progress.say(`Without a gradient in some of the processes: ${listNames(unused)}`)
      title = `epoch ${epoch}/${epochs}`
      progress.update({ title, done: images, total: trainImages, loss: meanLoss, note: leftOut(skippedSteps) })
      if (images === trainImages) progress.end()
    },
    onEvaluationBatch(done) {
      progress.update({ title: `${title} evaluation`, done, total: evaluationImages })
      if (done === evaluationImages) progress.end()
    },
    onTestBatch(done) {
      progress.update({ title: 'test', done, total: test?.images ?? done })
      if (done === test?.images) progress.end()
    },
    onEpoch: report => progress.say(`epoch ${report.epoch}/${epochs}  ${evaluated(report)}`),
    onEvaluation: report => progress.say(`epoch ${report.epoch}/${epochs}, step ${report.step}  ${evaluated(report)}`),
    onEnd({ stoppedEarly, epochs: trained, best }) {
      if (stoppedEarly)
        progress.say(
          `Stopped early, after ${trained} of ${epochs} epochs: no evaluation since epoch ${best?.epoch} was better by more than minDelta.`,
        )
    },
  }
}

const evaluated = ({ trainLoss, skippedSteps = 0, evaluation, isBest, seconds }: EpochReport): string =>
  [
    `train loss ${Number.isFinite(trainLoss) ? trainLoss.toFixed(4) : 'unknown'}`,
    `validation: loss ${evaluation.loss.toFixed(4)}, ${mainFacts(evaluation)}`,
    duration(seconds),
    ...(skippedSteps > 0 ? [leftOut(skippedSteps)] : []),
    ...(isBest ? ['best so far'] : []),
  ].join('  ')

const leftOut = (steps: number): string | undefined =>
  steps > 0 ? `${steps} ${steps === 1 ? 'step' : 'steps'} left out by the gradient scaler` : undefined
