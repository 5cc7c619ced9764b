/** @vitral/trainer/recipe: parts of a recipe, as types. */

export type {
  FineTune,
  RecipeDistillation,
  RecipeLoss,
  RecipeModel,
  RecipeOptimizer,
  RecipeSampler,
  RecipeSchedule,
  RecipeTransforms,
} from '../recipe/types.ts'
