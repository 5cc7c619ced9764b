/** What a recipe says of every step. */
import type { Recipe } from '../recipe/types.ts'
import type { TrainStepOptions } from '../step/train-step.ts'

export const recipeStep = ({
  microBatchSize,
  precision,
  gradientCheckpointing,
  clipGradNorm,
  clipGradValue,
}: Recipe): Pick<
  TrainStepOptions,
  'microBatchSize' | 'precision' | 'gradientCheckpointing' | 'clipGradNorm' | 'clipGradValue'
> => ({
  microBatchSize: microBatchSize ?? undefined,
  precision,
  gradientCheckpointing,
  clipGradNorm: clipGradNorm ?? undefined,
  clipGradValue: clipGradValue ?? undefined,
})
