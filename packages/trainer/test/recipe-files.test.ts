/** What is written from the schema of a recipe is what is shipped, and its types are those that the schema gives. */
import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import type { z } from 'zod'
import { recipeFiles } from '../scripts/recipe-files.ts'
import { recipeSchema } from '../src/recipe/schema.ts'
import type { Recipe } from '../src/recipe/types.ts'
import { recipes } from '../src/recipes/index.ts'

describe('recipe files', () => {
  test.each(Object.entries(recipeFiles()))(
    '%s is as the schema has it; otherwise run bun scripts/recipe-files.ts',
    async (path, text) => {
      expect(await Bun.file(join(import.meta.dirname, '..', path)).text()).toBe(text)
    },
  )

  test('the JSON schema describes every field, and no default is missing in it', async () => {
    const { properties, required, additionalProperties } = await Bun.file(
      join(import.meta.dirname, '../recipe.schema.json'),
    ).json()
    expect(additionalProperties).toBe(false)
    expect(required).toEqual(['model', 'dataset', 'transforms', 'batchSize', 'epochs', 'optimizer'])
    for (const field of Object.values<{ description?: string }>(properties)) expect(field.description).toBeString()
    expect(properties.batchSize).toMatchObject({ type: 'integer', minimum: 1 })
    expect(properties.seed.default).toBe(42)
  })

  test('a recipe that is read again is the same', () => {
    for (const recipe of Object.values(recipes)) expect(recipeSchema.parse(recipe)).toEqual(recipe)
  })
})

/** The type in editors and the type of the schema are one, in both directions. */
type Same<A, B> = [A, B] extends [B, A] ? true : never
const same: Same<Recipe, z.output<typeof recipeSchema>> = true
void same
