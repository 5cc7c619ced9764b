/** A recipe: everything that decides what a training run computes, apart from where its files are. */
import type { ComputeDtype, ViTConfigOptions } from '@vitral/core'
import type { FineTune } from './fine-tune.ts'
import type { OptimizerName, OptimizerOptions } from './optimizers/algorithms.ts'
import { checkRecipe, hasFields } from './recipe-fields.ts'
import type { ScheduleName } from './schedules.ts'

export interface RecipeModel {
  /** A folder or hub id to start from; its classifier is made anew when the classes differ. */
  pretrained?: string
  /** A named configuration to start from, such as 'vit-base-patch16-224', with fresh parameters. */
  name?: string
  /** Fields over those of the above, or over the defaults of ViT-B/16. The classes come from the data set. */
  config?: Omit<ViTConfigOptions, 'numLabels' | 'id2label' | 'extra'>
}

export interface RecipeSchedule {
  name: ScheduleName
  /** Of linear growth of the learning rate; may be a part of one. @default 0 */
  warmupEpochs?: number
  /** @default 0 */
  minLr?: number
}

export interface Recipe {
  model: RecipeModel
  /** The part of the model that trains; the rest stays as it is. */
  fineTune: FineTune
  /** Name of a data set; the command line says where it lies. */
  dataset: string
  /** Name of the transform chains, one for training and one for evaluation. */
  transforms: string
  batchSize: number
  evalBatchSize: number
  epochs: number
  optimizer: { name: OptimizerName } & OptimizerOptions
  schedule: RecipeSchedule
  /** ε of the loss. */
  labelSmoothing: number
  /** Of the products, in training and evaluation; parameters are float32 always. PyTorch's autocast. */
  precision: ComputeDtype
  /** Whether layers are computed again in the backward pass: less memory for a third more time. */
  gradientCheckpointing: boolean
  /** Largest norm of all gradients together; null does not clip. */
  clipGradNorm: number | null
  /** Of the initial parameters, the order of the images, their augmentation and dropout. */
  seed: number
}

const defaults = {
  fineTune: 'all' as const,
  evalBatchSize: 100,
  schedule: { name: 'constant' as const },
  labelSmoothing: 0,
  precision: 'float32' as const,
  gradientCheckpointing: false,
  clipGradNorm: null,
  seed: 42,
}

/** A recipe as written: what has a default may be left out. */
export type RecipeOptions = Omit<Recipe, keyof typeof defaults> & Partial<Pick<Recipe, keyof typeof defaults>>

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
  return checkRecipe({ ...defaults, ...recipe })
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
  return checkRecipe(changed as unknown as Recipe)
}

type Group = { [key: string]: unknown }

function parseValue(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text // a name needs no quotes
  }
}
