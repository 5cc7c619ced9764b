/** Where a run stands after a step, and after an evaluation: sums, counts and the best so far. */
import { isBetter, judged, scoreOf } from '../evaluation/choose-best.ts'
import type { Evaluation } from '../evaluation/evaluate.ts'
import type { TrainStepResult } from '../step/train-step.ts'
import { type RunPosition, startOfRun } from './state.ts'

/** Adds a step; the loss of one that overflowed may be no number, and then it is in no mean. */
export function positionAfterStep(position: RunPosition, { loss, images, skipped }: TrainStepResult): RunPosition {
  const counts = Number.isFinite(loss)
  return {
    ...position,
    batch: position.batch + 1,
    step: position.step + 1,
    lossSum: position.lossSum + (counts ? loss * images : 0),
    images: position.images + (counts ? images : 0),
    skippedSteps: position.skippedSteps + (skipped ? 1 : 0),
  }
}

/**
 * Adds an evaluation.
 *
 * @param endsEpoch whether the next step is the first of another epoch
 */
export function positionAfterEvaluation(
  position: RunPosition,
  evaluation: Evaluation,
  { endsEpoch, seconds }: { endsEpoch: boolean; seconds: number },
): RunPosition {
  const { step, best, skippedSteps } = position
  const now = { epoch: position.epoch + 1, ...(!endsEpoch && { step }), ...judged(evaluation) }
  const evaluated = {
    ...{ step, seconds, skippedSteps, evaluatedStep: step },
    best: isBetter(now, best) ? now : best,
    losses: [...position.losses, evaluation.loss],
    scores: [...position.scores, scoreOf(now)],
  }
  return endsEpoch ? { ...startOfRun, epoch: now.epoch, ...evaluated } : { ...position, ...evaluated }
}
