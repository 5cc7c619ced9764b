/** Recipes in files of the user's. */
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { RecipeOptions } from '../recipe/recipe.ts'

/**
 * The default export of a module, or what a .json file holds.
 *
 * @throws when there is no such file, and when this runtime cannot import it
 */
export async function importRecipe(file: string): Promise<RecipeOptions> {
  const path = resolve(file)
  if (!existsSync(path)) throw new Error(`There is no recipe file ${path}.`)
  if (path.endsWith('.json')) return readRecipe(path)
  if (/ts$/.test(path) && !process.versions.bun)
    throw new Error(`Node cannot import ${path}; run vitral with Bun, or compile the recipe to .js.`)
  const { default: recipe } = (await import(pathToFileURL(path).href)) as { default?: RecipeOptions }
  if (typeof recipe !== 'object' || recipe === null)
    throw new Error(`${path} has no default export that is a recipe; expected export default defineRecipe({ … }).`)
  return recipe
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
