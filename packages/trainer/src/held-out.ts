/** Which images a run is trained on, which of them choose its best model, and which then test that. */
import { type Dataset, type Split, selectClasses, stratifiedSplit, subset } from '@vitral/datasets'
import { datasetSplits, type OpenDatasetOptions, openDataset } from './open-dataset.ts'
import type { Recipe } from './recipe.ts'

export interface Parts {
  train: Dataset
  /** Evaluated after each epoch. */
  validation: Dataset
  /** For the best model, once: it was not chosen by these. Absent when they are the validation, or there are none. */
  test?: Dataset
}

/**
 * Opens the parts of a recipe's data set by its `validation`.
 *
 * What is held out of the training images depends on the data set and the share alone, not on the recipe's seed: runs of
 * a sweep are compared on the same images, and a student's were not its teacher's to learn from.
 *
 * @throws when there is no such data set, or no image to hold out
 */
export async function openParts(
  { dataset, classes, validation }: Pick<Recipe, 'dataset' | 'classes' | 'validation'>,
  path: string,
  options: OpenDatasetOptions,
): Promise<Parts> {
  const open = async (split: Split): Promise<Dataset> => {
    const all = await openDataset(dataset, path, split, options)
    return classes ? selectClasses(all, classes) : all
  }
  if (validation === 'test') return { train: await open('train'), validation: await open('test') }
  const splits = await datasetSplits(dataset, path)
  const train = await open('train')
  const parts = splits.includes('validation')
    ? { train, validation: await open('validation') }
    : divide(train, validation)
  return splits.includes('test') ? { ...parts, test: await open('test') } : parts
}

function divide(dataset: Dataset, share: number): Pick<Parts, 'train' | 'validation'> {
  if (!dataset.labels)
    throw new Error(
      "The data set does not say its labels, so that no images can be held out; set validation to 'test'.",
    )
  const { classes, keyOf } = dataset
  const fractions = { validation: share, test: 0 }
  const { train, validation } = stratifiedSplit(dataset.labels, { fractions, classes, keyOf })
  if (validation.length === 0)
    throw new Error('No class has two images, so that none can be held out of training; expected more images.')
  return { train: subset(dataset, train), validation: subset(dataset, validation) }
}
