/** Finds a recipe: by the name of one that comes with Vitral, or in a user's file. */
import { importRecipe } from '#platform'
import { didYouMean } from '../did-you-mean.ts'
import { defineRecipe } from '../recipe/recipe.ts'
import type { Recipe } from '../recipe/types.ts'
import { recipes } from './index.ts'

/**
 * A recipe by its name or from a file.
 *
 * @param nameOrPath such as 'cifar10-micro', './my-recipe.ts', a module whose default export is a recipe, or './my-recipe.json'
 * @throws when there is no such recipe or file, when this runtime cannot import it, and when a field of it is wrong.
 */
export async function loadRecipe(nameOrPath: string): Promise<Recipe> {
  if (Object.hasOwn(recipes, nameOrPath)) return recipes[nameOrPath] as Recipe
  const names = Object.keys(recipes)
  if (!/\.(?:[cm]?[jt]s|json)$/.test(nameOrPath))
    throw new Error(
      `There is no recipe '${nameOrPath}'; expected one of ${names.join(', ')}, or the path of a .ts, .js or .json file.${didYouMean(nameOrPath, names)}`,
    )
  return defineRecipe(await importRecipe(nameOrPath))
}
