/** A training run as a person at the terminal sees it. */
import { listNames } from '@vitral/core'
import type { TrainingData } from '../data.ts'
import { duration, type Progress } from '../progress.ts'
import type { Recipe } from '../recipe.ts'
import type { TrainingObserver } from '../training-events.ts'
import { mainFacts } from './describe-evaluation.ts'

/** Keeps the progress line, and leaves one line for each epoch. */
export function showTraining(
  progress: Progress,
  { epochs }: Recipe,
  { trainImages, evaluationImages, test }: TrainingData,
): TrainingObserver {
  let title = ''
  const told = new Set<string>()
  return {
    onStep({ epoch, images, meanLoss, unusedParameters = [] }) {
      const unused = unusedParameters.filter(name => !told.has(name))
      for (const name of unused) told.add(name)
      if (unused.length > 0) progress.say(`Without a gradient in some of the processes: ${listNames(unused)}`)
      title = `epoch ${epoch}/${epochs}`
      progress.update({ title, done: images, total: trainImages, loss: meanLoss })
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
    onEpoch({ epoch, trainLoss, evaluation, isBest, seconds }) {
      progress.say(
        `epoch ${epoch}/${epochs}  train loss ${trainLoss.toFixed(4)}  held-out: loss ${evaluation.loss.toFixed(4)}, ${mainFacts(evaluation)}  ${duration(seconds)}${isBest ? '  best so far' : ''}`,
      )
    },
  }
}
