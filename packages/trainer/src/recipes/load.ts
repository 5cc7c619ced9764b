/** Finds a recipe: by the name of one that comes with Vitral, or in a user's file. */
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { didYouMean } from '../did-you-mean.ts'
import { defineRecipe, type RecipeOptions } from '../recipe/recipe.ts'
import type { Recipe } from '../recipe/types.ts'
import { recipes } from './index.ts'

/**
 * @param nameOrPath such as 'cifar10-micro', './my-recipe.ts', a module whose default export is a recipe, or './my-recipe.json'
 * @throws when there is no such recipe or file, when this runtime cannot import it, and when a field of it is wrong.
 */
export async function loadRecipe(nameOrPath: string): Promise<Recipe> {
  if (Object.hasOwn(recipes, nameOrPath)) return recipes[nameOrPath] as Recipe
  const path = resolve(nameOrPath)
  const names = Object.keys(recipes)
  if (!/\.(?:[cm]?[jt]s|json)$/.test(path))
    throw new Error(
      `There is no recipe '${nameOrPath}'; expected one of ${names.join(', ')}, or the path of a .ts, .js or .json file.${didYouMean(nameOrPath, names)}`,
    )
  if (!existsSync(path)) throw new Error(`There is no recipe file ${path}.`)
  if (path.endsWith('.json')) return defineRecipe(readRecipe(path))
  if (/ts$/.test(path) && !process.versions.bun)
    throw new Error(`Node cannot import ${path}; run vitral with Bun, or compile the recipe to .js.`)
  const { default: recipe } = (await import(pathToFileURL(path).href)) as { default?: RecipeOptions }
  if (typeof recipe !== 'object' || recipe === null)
    throw new Error(`${path} has no default export that is a recipe; expected export default defineRecipe({ … }).`)
  return defineRecipe(recipe)
}

/** A recipe in JSON; `$schema` is for editors. */
function readRecipe(path: string): RecipeOptions {
  let json: unknown
  try {
    json = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new Error(`${path} is no JSON: ${(error as Error).message}.`, { cause: error })
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new Error(`${path} holds no JSON object; expected the fields of a recipe.`)
  const { $schema, ...recipe } = json as RecipeOptions & { $schema?: string }
  return recipe
}
