/** The transforms that a recipe describes. */
import type { ViTImageProcessor } from '@vitral/core'
import { type BatchTransform, type Transform, transforms } from '@vitral/datasets'
import { transformsOf } from '../data/processor.ts'
import type { Recipe } from './types.ts'

export interface MadeTransforms {
  train: Transform[]
  evaluation: Transform[]
  /** Transforms of whole batches in training. */
  batches: BatchTransform[]
}

/** @throws when there is no chain of that name. */
export function transformChain(name: string): transforms.Chain {
  const chain = Object.hasOwn(transforms.chains, name) ? transforms.chains[name] : undefined
  if (!chain)
    throw new Error(`There are no transforms '${name}'; expected one of ${Object.keys(transforms.chains).join(', ')}.`)
  return chain
}

/**
 * @param pretrained what prepared the images of the model that the recipe starts from: a chain that has a name takes size,
 *   interpolation, mean and deviation from it; transforms that are given one by one stay as they are
 * @throws naming a transform that there is not, or its argument that cannot be used
 */
export function recipeTransforms(
  { transforms: described, batchTransforms, model }: Pick<Recipe, 'transforms' | 'batchTransforms' | 'model'>,
  pretrained?: ViTImageProcessor,
): MadeTransforms {
  const batches = batchTransforms.map(transforms.createBatchTransform)
  if (typeof described === 'string') {
    const chain = transformChain(described)
    // For the image size that the recipe gives its model, if it gives one.
    const imageSize = model.config?.imageSize
    const size = typeof imageSize === 'number' ? ([imageSize, imageSize] as const) : imageSize
    const its = pretrained && transformsOf(pretrained)
    const options = { ...(its && optionsOf(its)), ...(size && { size }) }
    const grey = its?.filter(({ name }) => name === 'grayscale') ?? []
    const made = (train: boolean): Transform[] => [...grey, ...chain({ train, ...options })]
    return { train: made(true), evaluation: its && !size ? its : made(false), batches }
  }
  return {
    train: described.train.map(transforms.createTransform),
    evaluation: described.evaluation.map(transforms.createTransform),
    batches,
  }
}

/** What a chain is to have of another's: its last size, its interpolation, its mean and deviation. */
function optionsOf(chain: readonly Transform[]): Partial<transforms.ChainOptions> {
  const argsOf = (name: string) => chain.find(transform => transform.name === name)?.args
  const [size, { interpolation }] = (argsOf('resize') ?? [undefined, {}]) as [unknown, transforms.ChainOptions]
  const [cropped = size] = argsOf('centerCrop') ?? []
  const [mean, std] = argsOf('normalize') as [number[], number[]]
  return {
    ...{ mean, std },
    ...(interpolation && { interpolation }),
    ...(Array.isArray(cropped) && { size: cropped as [number, number] }),
  }
}
