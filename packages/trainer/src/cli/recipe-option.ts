/** How a command is told its recipe: a name or a file, and fields of it set by flags. */

import { overrideRecipe } from '../recipe/recipe.ts'
import type { Recipe } from '../recipe/types.ts'
import { loadRecipe } from '../recipes/load.ts'
import { required } from './command.ts'

/** Shorter ways to say `--set`. */
const shortcuts = {
  dataset: 'dataset',
  epochs: 'epochs',
  'batch-size': 'batchSize',
  lr: 'optimizer.lr',
  precision: 'precision',
  seed: 'seed',
}

const text: { type: 'string' } = { type: 'string' }

/** For commands that train by a recipe. */
export const recipeOptions: Record<keyof typeof shortcuts, { type: 'string' }> & {
  set: { type: 'string'; multiple: true }
} = {
  set: { type: 'string', multiple: true },
  ...{ dataset: text, epochs: text, 'batch-size': text, lr: text, precision: text, seed: text },
}

type RecipeValues = { set?: string[] } & { [flag in keyof typeof shortcuts]?: string }

/** @throws when there is no recipe, or more than one, or when a field of it is wrong. */
export async function recipeOf(
  positionals: readonly string[],
  values: RecipeValues,
): Promise<{ name: string; recipe: Recipe }> {
  const name = required(positionals[0], 'The recipe')
  if (positionals.length > 1) throw new Error(`Unexpected argument '${positionals[1]}'; expected one recipe.`)
  return { name, recipe: withSettings(await loadRecipe(name), values) }
}

/** @throws when a field that is set is wrong */
export function withSettings(recipe: Recipe, values: RecipeValues): Recipe {
  const settings = Object.entries(shortcuts).flatMap(([flag, key]) => {
    const value = values[flag as keyof typeof shortcuts]
    return value === undefined ? [] : [`${key}=${value}`]
  })
  return overrideRecipe(recipe, [...settings, ...(values.set ?? [])])
}
