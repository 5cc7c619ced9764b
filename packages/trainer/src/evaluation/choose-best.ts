/** Which evaluation of a run is the best, and when a run has no hope of a better one. */
import { type Fields, notNegative, resolveFields, wholeNumber } from '../recipe/kinds.ts'
import type { EarlyStopping } from '../recipe/types.ts'
import type { Evaluation } from './evaluate.ts'

/** What an evaluation is judged by. */
export interface Judged {
  accuracy: number
  loss: number
  /** Mean average precision, of images that may have several classes. */
  meanAveragePrecision?: number
}

/** The best evaluation of a run, and where it was. */
export interface BestEvaluation extends Judged {
  /** 1 for the first. */
  epoch: number
  /** Steps trained before it, of an evaluation within the epoch. */
  step?: number
}

/** What ends a run early. */
export const earlyStoppingFields: Fields<EarlyStopping> = {
  patience: wholeNumber(1).describe('Evaluations in a row without an improvement that end the run.'),
  minDelta: notNegative.default(0).describe('What the score must gain to count as an improvement.'),
}

/** What is kept of an evaluation to judge it by. */
export const judged = (evaluation: Evaluation): Judged => {
  const { accuracy, loss } = evaluation
  if (!('meanAveragePrecision' in evaluation)) return { accuracy, loss }
  return { accuracy, loss, meanAveragePrecision: evaluation.meanAveragePrecision }
}

/**
 * The score that chooses the best model, from 0 to 1: the accuracy, or the mean average precision where images may have
 * several classes. There the accuracy counts an image only when all its classes are right, which is mostly 0 at first.
 */
export const scoreOf = ({ accuracy, meanAveragePrecision }: Judged): number => meanAveragePrecision ?? accuracy

/** Whether an evaluation is better than the best before it: by its score, and of equal scores by its loss. */
export function isBetter(now: Judged, best: Judged | undefined): boolean {
  if (!best) return true
  if (scoreOf(now) !== scoreOf(best)) return scoreOf(now) > scoreOf(best)
  return Number.isFinite(now.loss) && !(Number.isFinite(best.loss) && now.loss >= best.loss)
}

/**
 * Whether the last `patience` evaluations have not improved the score by more than `minDelta`: Keras' EarlyStopping. It is
 * computed from all evaluations each time, so that a run that is resumed needs nothing but them.
 *
 * @param scores of the evaluations so far
 */
export function isExhausted(scores: readonly number[], stopping: EarlyStopping | null): boolean {
  if (!stopping) return false
  const { patience, minDelta } = resolveFields('earlyStopping: ', earlyStoppingFields, stopping)
  let [best, since] = [Number.NEGATIVE_INFINITY, 0]
  for (const score of scores)
    if (score > best + minDelta) [best, since] = [score, 0]
    else since++
  return since >= patience
}
