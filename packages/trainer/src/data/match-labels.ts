/** A data set whose classes a model knows, though perhaps in another order. */
import { listNames } from '@vitral/core/text'
import type { Dataset } from '@vitral/datasets'
import { findClass } from '@vitral/datasets/sources'

export interface MatchLabelsOptions {
  /** What to call the model, in messages. */
  model: string
  /** Takes the classes in the order they have, whatever their names. @default false */
  byPosition?: boolean
}

/**
 * The data set with the model's classes, in the model's order. Classes are matched by their names, which may be spelled in
 * another Unicode form.
 *
 * @param id2label of the model
 * @throws naming the classes that the model does not know; or, by position, when there is another number of them
 */
export function withLabelsOf(
  dataset: Dataset,
  id2label: Readonly<Record<number, string>>,
  { model, byPosition = false }: MatchLabelsOptions,
): Dataset {
  const labels = Object.keys(id2label).map(id => id2label[Number(id)] as string)
  const { classes, length, multiLabel, leftOut, nameOf } = dataset
  if (byPosition && labels.length !== classes.length)
    throw new Error(
      `--by-position takes the data's classes in the order of the model's, but the data has ${classes.length} and ${model} ${labels.length}; expected as many.`,
    )
  const positions = classes.map((name, position) => (byPosition ? position : findClass(labels, name)))
  const unknown = classes.filter((_, position) => positions[position] === -1)
  if (unknown.length > 0)
    throw new Error(
      `${model} does not know ${unknown.length} of the data's ${classes.length} classes: ${listNames(unknown)}. It knows ${labels.length}: ${listNames(labels)}. Give the classes the model's names, or use --by-position if they are the model's in its order.`,
    )
  const place = (label: number): number => (label < 0 ? label : (positions[label] as number))
  return {
    length,
    classes: labels,
    ...(multiLabel && { multiLabel }),
    ...(dataset.labels && { labels: Array.from(dataset.labels, place) }),
    ...(leftOut && { leftOut }),
    ...(nameOf && { nameOf }),
    async get(index) {
      const { image, label, labels: all } = await dataset.get(index)
      return { image, label: place(label), ...(all && { labels: all.map(place) }) }
    },
  }
}
