/** Some examples of a data set, in an order of one's own (torch.utils.data.Subset). */
import type { Dataset } from '../types.ts'

/**
 * Some examples of a data set, in the order of the indices.
 *
 * @throws naming an index that the data set does not have
 * @example
 * subset(train, [5, 3]).get(0) // example 5 of train
 */
export function subset(dataset: Dataset, indices: readonly number[]): Dataset {
  const wrong = indices.find(index => !(Number.isInteger(index) && index >= 0 && index < dataset.length))
  if (wrong !== undefined)
    throw new RangeError(`indices has ${wrong}; expected whole numbers from 0 to ${dataset.length - 1}.`)
  const { classes, multiLabel, labels, inMemory, leftOut, source } = dataset
  return {
    length: indices.length,
    classes,
    ...(multiLabel && { multiLabel }),
    ...(labels && { labels: indices.map(index => labels[index] as number) }),
    inMemory,
    get(index) {
      const at = indices[index]
      if (at === undefined)
        throw new RangeError(`Example ${index} was asked for; the data set has ${indices.length}, from 0.`)
      return dataset.get(at)
    },
    nameOf: nameThrough(dataset, indices),
    keyOf: keyThrough(dataset, indices),
    ...(leftOut && { leftOut }),
    ...(source && { source: { name: 'subset', params: { source, indices } } }),
  }
}

/** Names of examples that were chosen from a data set by their indices: what they are called there, or their number. */
export const nameThrough =
  (dataset: Dataset, indices: readonly number[]): NonNullable<Dataset['nameOf']> =>
  index => {
    const at = indices[index] as number
    return dataset.nameOf?.(at) ?? `example ${at} of the data set it was chosen from`
  }

/** Keys of chosen examples, which tell them apart. */
export const keyThrough =
  (dataset: Dataset, indices: readonly number[]): NonNullable<Dataset['keyOf']> =>
  index => {
    const at = indices[index] as number
    return dataset.keyOf?.(at) ?? String(at)
  }
