/** What observers are told, made from where a run stands. */
import { isExhausted } from '../evaluation/choose-best.ts'
import type { Recipe } from '../recipe/types.ts'
import type { TrainStepResult } from '../step/train-step.ts'
import type { EpochReport, StepReport, TrainingResult } from './events.ts'
import type { RunPosition } from './state.ts'

type ReportRecipe = Pick<Recipe, 'batchSize' | 'epochs' | 'earlyStopping' | 'gradScaler'>

/** @param position after the step */
export function stepReport(
  recipe: ReportRecipe,
  position: RunPosition,
  result: TrainStepResult,
  { lr, seconds }: { lr: number; seconds: number },
): StepReport {
  const { epoch, batch, step, lossSum, images } = position
  const { loss, gradNorm, skipped, unused } = result
  return {
    ...{ epoch: epoch + 1, step, images: (batch - 1) * recipe.batchSize + result.images },
    ...{ lr, loss, meanLoss: lossSum / images, gradNorm },
    ...(skipped && { skipped }),
    ...skippedSteps(recipe, position),
    imagesPerSecond: result.images / seconds,
    ...(unused && { unusedParameters: unused }),
  }
}

/** @param position before the evaluation is counted */
export const epochReport = (
  recipe: ReportRecipe,
  position: RunPosition,
  found: Pick<EpochReport, 'evaluation' | 'examples' | 'isBest' | 'seconds'>,
): EpochReport => ({
  ...{ epoch: position.epoch + 1, step: position.step, trainLoss: position.lossSum / position.images },
  ...skippedSteps(recipe, position),
  ...found,
})

export function trainingResult(recipe: ReportRecipe, position: RunPosition, tested: boolean): TrainingResult {
  const { epoch, step, seconds, best, test, skippedSteps } = position
  return {
    finished: isAtEnd(recipe, position) && tested,
    ...(isExhausted(position.scores, recipe.earlyStopping) && { stoppedEarly: true }),
    ...{ epochs: epoch, steps: step, seconds, best, test },
    ...(skippedSteps > 0 && { skippedSteps }),
  }
}

/** Whether all epochs are trained, or no evaluation was better for so long that the recipe wants no more. */
export const isAtEnd = ({ epochs, earlyStopping }: ReportRecipe, { epoch, scores }: RunPosition): boolean =>
  epoch >= epochs || isExhausted(scores, earlyStopping)

const skippedSteps = ({ gradScaler }: ReportRecipe, { skippedSteps }: RunPosition): { skippedSteps?: number } =>
  gradScaler ? { skippedSteps } : {}
