/** How a command is told its recipe: a name or a file, and fields of it set by options. */

import { listChoices } from '@vitral/core/text'
import { datasetNames } from '../data/open-dataset.ts'
import { describeField } from '../recipe/check.ts'
import { overrideRecipe } from '../recipe/recipe.ts'
import type { Recipe } from '../recipe/types.ts'
import { recipes } from '../recipes/index.ts'
import { loadRecipe } from '../recipes/load.ts'
import { needed, type Option, repeated, type Values } from './options.ts'

/** The argument that names a recipe, for the help of commands. */
export const recipeArgument: string = `RECIPE is ${Object.keys(recipes).join(', ')},
or the path of a JSON file or of a module that exports one.`

/** Placeholders of a field's value by its type. */
const placeholders: Readonly<Record<string, string>> = { int: 'N', number: 'X', string: 'NAME' }

/** An option that sets a field of the recipe, described as the recipe's schema describes it. */
function fieldOption(path: string, known?: readonly string[]): Option<string | undefined> {
  const { description, type, names = known } = describeField(path)
  const [first = ''] = description.split(/[;.]/)
  const begun = first.charAt(0).toLowerCase() + first.slice(1)
  return {
    ...{ type: 'string', value: placeholders[type], standard: "the recipe's" },
    help: names ? `${begun}: ${listChoices(names)}` : begun,
    read: (_, given) => given as string | undefined,
  }
}

/** The fields that have an option of their own. */
const paths = {
  dataset: 'dataset',
  epochs: 'epochs',
  'batch-size': 'batchSize',
  lr: 'optimizer.lr',
  precision: 'precision',
  seed: 'seed',
} as const

type RecipeOptions = { [name in keyof typeof paths]: Option<string | undefined> } & {
  set: Option<string[] | undefined>
}

/** For commands that train by a recipe. */
export const recipeOptions: RecipeOptions = {
  dataset: fieldOption(paths.dataset, datasetNames),
  set: repeated({
    value: 'KEY=VALUE',
    help: 'sets a field of the recipe, such as optimizer.lr=3e-4; fineTune=head, fineTune.lastLayers=2 or fineTune.lora.rank=8 trains a part of the model',
  }),
  epochs: fieldOption(paths.epochs),
  'batch-size': fieldOption(paths['batch-size']),
  lr: fieldOption(paths.lr),
  precision: fieldOption(paths.precision),
  seed: fieldOption(paths.seed),
}

type RecipeValues = Values<RecipeOptions>

/** @throws when there is no recipe, or more than one, or when a field of it is wrong. */
export async function recipeOf(
  positionals: readonly string[],
  values: Partial<RecipeValues>,
): Promise<{ name: string; recipe: Recipe }> {
  const name = needed(positionals[0], 'The recipe')
  if (positionals.length > 1) throw new Error(`Unexpected argument '${positionals[1]}'; expected one recipe.`)
  return { name, recipe: withSettings(await loadRecipe(name), values) }
}

/** @throws when a field that is set is wrong */
export function withSettings(recipe: Recipe, values: Partial<RecipeValues>): Recipe {
  const settings = Object.entries(paths).flatMap(([name, path]) => {
    const value = values[name as keyof typeof paths]
    return value === undefined ? [] : [`${path}=${value}`]
  })
  return overrideRecipe(recipe, [...settings, ...(values.set ?? [])])
}
