/** The optimizer that a recipe describes, for a model's parameters and their groups. */
import type { ViTForImageClassification } from '@vitral/core'
import { createOptimizer, type Optimizer } from '../optimizers/index.ts'
import { parameterGroups } from '../optimizers/parameter-groups.ts'
import type { Recipe } from '../recipe/types.ts'

export function recipeOptimizer({ optimizer }: Pick<Recipe, 'optimizer'>, model: ViTForImageClassification): Optimizer {
  const { name, noDecay, layerDecay, ...options } = optimizer
  const groups = parameterGroups(model.config.numHiddenLayers, { noDecay, layerDecay })
  return createOptimizer(name, model.trainableParameters(), { ...options, groups })
}
