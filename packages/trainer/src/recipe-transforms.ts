/** The transforms that a recipe describes. */
import { type BatchTransform, type Transform, type TransformSpec, transforms } from '@vitral/datasets'
import type { Recipe } from './recipe.ts'

/** Transforms of images, by name and arguments: those of training, with augmentation, and those of evaluation. */
export interface RecipeTransforms {
  train: readonly TransformSpec[]
  evaluation: readonly TransformSpec[]
}

export interface MadeTransforms {
  train: Transform[]
  evaluation: Transform[]
  /** Of training. */
  batches: BatchTransform[]
}

/** @throws when there is no chain of that name. */
export function transformChain(name: string): transforms.Chain {
  const chain = Object.hasOwn(transforms.chains, name) ? transforms.chains[name] : undefined
  if (!chain)
    throw new Error(`There are no transforms '${name}'; expected one of ${Object.keys(transforms.chains).join(', ')}.`)
  return chain
}

/** @throws naming a transform that there is not, or its argument that cannot be used */
export function recipeTransforms({
  transforms: described,
  batchTransforms,
  model,
}: Pick<Recipe, 'transforms' | 'batchTransforms' | 'model'>): MadeTransforms {
  const batches = batchTransforms.map(transforms.createBatchTransform)
  if (typeof described === 'string') {
    const chain = transformChain(described)
    // For the image size that the recipe gives its model, if it gives one.
    const imageSize = model.config?.imageSize
    const size = typeof imageSize === 'number' ? ([imageSize, imageSize] as const) : imageSize
    const made = (train: boolean): Transform[] => chain({ train, ...(size && { size }) })
    return { train: made(true), evaluation: made(false), batches }
  }
  return {
    train: described.train.map(transforms.createTransform),
    evaluation: described.evaluation.map(transforms.createTransform),
    batches,
  }
}
