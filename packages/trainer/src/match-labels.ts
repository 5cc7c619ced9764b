/** A data set whose classes a model knows, though perhaps in another order. */
import type { Dataset } from '@vitral/datasets'

/**
 * The data set with the model's classes, in the model's order. Classes are matched by their names when the model knows
 * all of them; otherwise, when there are as many, they are taken in the order they have.
 *
 * @param id2label of the model
 * @param names of both, for the message
 * @throws when the classes cannot be the model's
 */
export function withLabelsOf(
  dataset: Dataset,
  id2label: Readonly<Record<number, string>>,
  names: { dataset: string; model: string },
): Dataset {
  const labels = Object.keys(id2label).map(id => id2label[Number(id)] as string)
  const positions = dataset.classes.map(name => labels.indexOf(name))
  if (positions.includes(-1)) {
    if (labels.length === dataset.classes.length) return dataset
    throw new Error(
      `${names.model} has ${labels.length} classes, but ${names.dataset} has ${dataset.classes.length}; expected the same, or names that the model knows.`,
    )
  }
  const { length, multiLabel } = dataset
  const place = (label: number): number => (label < 0 ? label : (positions[label] as number))
  return {
    length,
    classes: labels,
    ...(multiLabel && { multiLabel }),
    async get(index) {
      const { image, label, labels: all } = await dataset.get(index)
      return { image, label: place(label), ...(all && { labels: all.map(place) }) }
    },
  }
}
