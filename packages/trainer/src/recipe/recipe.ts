/** Recipes: completed with their defaults, checked, and changed field by field. */
import type { TransformSpec } from '@vitral/datasets'
import { checkRecipe, hasFields } from './check.ts'
import type { DefaultedField, Recipe } from './types.ts'

/** A recipe as written: what has a default may be left out. */
export type RecipeOptions = Omit<Recipe, DefaultedField> & Partial<Pick<Recipe, DefaultedField>>

/**
 * Completes a recipe with the defaults and checks every field.
 *
 * @throws naming the field that is wrong, and what it should be.
 * @example
 * export default defineRecipe({
 *   model: { pretrained: 'google/vit-base-patch16-224' },
 *   dataset: 'cifar10',
 *   transforms: 'article-fine-tune',
 *   batchSize: 32,
 *   epochs: 5,
 *   optimizer: { name: 'adam', lr: 1e-5 },
 * })
 */
export function defineRecipe(recipe: RecipeOptions): Recipe {
  return checkRecipe(asData(recipe))
}

/** Transforms are their names and arguments from here on, so that a recipe can be copied, stored and compared. */
function asData(recipe: RecipeOptions): RecipeOptions {
  const { transforms, batchTransforms = [] } = recipe
  const data = (spec: TransformSpec) => (spec?.args ? { name: spec.name, args: spec.args } : spec)
  const specs = (list: readonly TransformSpec[]) => (Array.isArray(list) ? list.map(data) : list)
  if (typeof transforms !== 'object' || transforms === null)
    return { ...recipe, batchTransforms: specs(batchTransforms) }
  return {
    ...recipe,
    transforms: { ...transforms, train: specs(transforms.train), evaluation: specs(transforms.evaluation) },
    batchTransforms: specs(batchTransforms),
  }
}

/**
 * The recipe with some fields set, each by `dotted.key=value`; the value is JSON, or else text.
 *
 * @throws naming the setting that is wrong, and what is right.
 * @example
 * overrideRecipe(recipe, ['optimizer.lr=3e-4', 'model.config.numHiddenLayers=2', 'clipGradNorm=null'])
 */
export function overrideRecipe(recipe: Recipe, settings: readonly string[]): Recipe {
  const changed = structuredClone(recipe) as unknown as Group
  for (const setting of settings) {
    const equals = setting.indexOf('=')
    const keys = setting.slice(0, equals).split('.')
    if (equals < 1 || keys.some(key => !/^[A-Za-z]\w*$/.test(key) || key in Object.prototype))
      throw new Error(`--set ${setting}: expected key=value with a key such as epochs or optimizer.lr.`)
    const group = keys.slice(0, -1).reduce<Group>((parent, key, depth) => {
      parent[key] ??= {}
      if (typeof parent[key] !== 'object' && hasFields(keys.slice(0, depth + 1).join('.'))) parent[key] = {}
      if (typeof parent[key] !== 'object') throw new Error(`--set ${setting}: ${key} has no fields of its own.`)
      return parent[key] as Group
    }, changed)
    group[keys.at(-1) as string] = parseValue(setting.slice(equals + 1))
  }
  return checkRecipe(changed)
}

type Group = { [key: string]: unknown }

function parseValue(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text // a name needs no quotes
  }
}
