/** Some classes of a data set, in an order of one's own. */
import { listNames } from '@vitral/core/text'
import type { Dataset, Example } from '../types.ts'
import { keyThrough, nameThrough } from './subset.ts'

/** What is chosen, as plain data. */
export interface ClassSelection {
  /** Names, in the order of the new labels. */
  classes: readonly string[]
  /** Into the data set. */
  indices: readonly number[]
}

/**
 * The examples of some classes, labelled by their place in the list: to pre-train on some and fine-tune on others, or to
 * leave out what is not asked for.
 *
 * @throws naming a class that the data set does not have, or has twice in the list; and when the labels are not known
 * without the images
 * @example
 * selectClasses(await openCifar10('data', { split: 'train' }), ['cat', 'dog']) // 10,000 images, labels 0 and 1
 */
export function selectClasses(dataset: Dataset, classes: readonly string[]): Dataset {
  const { labels, multiLabel } = dataset
  if (multiLabel) throw new Error('Classes cannot be selected of a multi-label data set; expected labels of one class.')
  if (!labels) throw new Error('The data set does not say its labels, so that no classes of it can be selected.')
  if (classes.length === 0) throw new Error('There is no class to select; expected at least one.')
  for (const [i, name] of classes.entries()) {
    if (!dataset.classes.includes(name))
      throw new Error(`The data set has no class '${name}'; expected some of ${listNames(dataset.classes)}.`)
    if (classes.indexOf(name) !== i) throw new Error(`The class '${name}' is selected twice.`)
  }
  const wanted = new Set(classes.map(name => dataset.classes.indexOf(name)))
  const indices = Array.from({ length: dataset.length }, (_, i) => i).filter(i => wanted.has(labels[i] as number))
  return selectedClasses(dataset, { classes, indices })
}

/** The data set of a selection. */
export function selectedClasses(dataset: Dataset, selection: ClassSelection): Dataset {
  const { classes, indices } = selection
  const places = new Map(classes.map((name, place) => [dataset.classes.indexOf(name), place]))
  const { labels, inMemory, leftOut, source } = dataset
  const relabelled = ({ image, label }: Example): Example => ({ image, label: places.get(label) as number })
  return {
    length: indices.length,
    classes,
    ...(labels && { labels: indices.map(index => places.get(labels[index] as number) as number) }),
    inMemory,
    get(index) {
      const at = indices[index]
      if (at === undefined)
        throw new RangeError(`Example ${index} was asked for; the data set has ${indices.length}, from 0.`)
      const example = dataset.get(at)
      return example instanceof Promise ? example.then(relabelled) : relabelled(example)
    },
    nameOf: nameThrough(dataset, indices),
    keyOf: keyThrough(dataset, indices),
    ...(leftOut && { leftOut }),
    ...(source && { source: { name: 'selectedClasses', params: { source, selection } } }),
  }
}
