/** What a recipe says of every step. */
import type { Recipe } from './recipe.ts'
import type { TrainStepOptions } from './train-step.ts'

export const recipeStep = ({
  microBatchSize,
  precision,
  gradientCheckpointing,
  clipGradNorm,
}: Recipe): Pick<TrainStepOptions, 'microBatchSize' | 'precision' | 'gradientCheckpointing' | 'clipGradNorm'> => ({
  microBatchSize: microBatchSize ?? undefined,
  precision,
  gradientCheckpointing,
  clipGradNorm: clipGradNorm ?? undefined,
})
