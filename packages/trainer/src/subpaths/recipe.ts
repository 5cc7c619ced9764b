/** @vitral/trainer/recipe: parts of a recipe, as types. */

export type { FineTune } from '../recipe/fine-tune.ts'
export type { RecipeDistillation, RecipeModel, RecipeSchedule, RecipeTransforms } from '../recipe/types.ts'
