/** Which images a run is trained on, which of them choose its best model, and which then test that. */

import { type Dataset, selectClasses, stratifiedSplit, subset } from '@vitral/datasets'
import type { Split } from '@vitral/datasets/sources'
import type { Recipe } from '../recipe/types.ts'
import { datasetSplits, openDataset } from './named-datasets.ts'
import type { OpenDatasetOptions } from './open-dataset.ts'

/** Data sets of one's own: at least what is trained on. */
export interface OwnData {
  /** Training images. */
  train: Dataset
  /** What chooses the best model. @default what the recipe's `validation` holds out of `train` */
  validation?: Dataset
  /** What tests the best model at the end. @default none */
  test?: Dataset
}

/** Where a data set lies: its folder, or a manifest's file. Or the data sets themselves; one alone is trained on. */
export type DataSource = string | Dataset | OwnData

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
 * The validation split of the training images depends on the data set and the share alone, not on the recipe's seed: runs of
 * a sweep are compared on the same images, and a student's were not its teacher's to learn from.
 *
 * @param source data sets of one's own are used in place of the one that the recipe names
 * @throws when there is no such data set, or no image to hold out
 */
export async function openParts(
  { dataset, classes, validation }: Pick<Recipe, 'dataset' | 'classes' | 'validation'>,
  source: DataSource,
  options: OpenDatasetOptions,
): Promise<Parts> {
  if (typeof source !== 'string') return ownParts(source, { classes, validation })
  const path = source
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

function ownParts(source: Dataset | OwnData, { classes, validation }: Pick<Recipe, 'classes' | 'validation'>): Parts {
  const own: OwnData = 'train' in source ? source : { train: source }
  const chosen = (dataset: Dataset): Dataset => (classes ? selectClasses(dataset, classes) : dataset)
  const train = chosen(own.train)
  const [ownValidation, test] = [own.validation, own.test].map(dataset => dataset && chosen(dataset))
  for (const [name, other] of Object.entries({ validation: ownValidation, test }))
    if (other && other.classes.join('\n') !== train.classes.join('\n'))
      throw new Error(
        `The data set for ${name} has the classes ${firstFew(other.classes)}; expected those of training, in their order: ${firstFew(train.classes)}.`,
      )
  if (validation === 'test') {
    if (!test)
      throw new Error("The recipe's validation is 'test', but the data has no `test`; expected { train, test }.")
    return { train, validation: test }
  }
  return {
    ...(ownValidation ? { train, validation: ownValidation } : divide(train, validation)),
    ...(test && { test }),
  }
}

const firstFew = (names: readonly string[]): string =>
  `${names.slice(0, 5).join(', ')}${names.length > 5 ? ` and ${names.length - 5} more` : ''}`

function divide(dataset: Dataset, share: number): Pick<Parts, 'train' | 'validation'> {
  if (!dataset.labels)
    throw new Error(
      "The data set does not say its labels, so that there can be no validation split; set validation to 'test', or give a data set of your own `labels` or { train, validation }.",
    )
  const { classes, keyOf } = dataset
  const fractions = { validation: share, test: 0 }
  const { train, validation } = stratifiedSplit(dataset.labels, { fractions, classes, keyOf })
  if (validation.length === 0)
    throw new Error('No class has two images, so that there can be no validation split; expected more images.')
  return { train: subset(dataset, train), validation: subset(dataset, validation) }
}
