/** What a command has understood of its data, in the lines that it prints before it begins; and what is no use to train on. */
import { listNames, printable } from '@vitral/core/text'
import type { Dataset } from '@vitral/datasets'
import { countLeftOut, type LeftOutFile, similarClasses } from '@vitral/datasets/sources'

/** A data set, and the split that it is, with whatever else is to be said of that; or 'all'. */
export interface UnderstoodPart {
  name: string
  dataset: Dataset
}

/** So many names are shown. */
const most = 10

/**
 * The classes, the images of each part, what is odd about the classes, and the files that are left out, by reason.
 *
 * @param parts with the same classes; the first is the one whose classes should all have images
 * @returns lines
 */
export function describeUnderstood(parts: readonly UnderstoodPart[]): string[] {
  const [{ dataset }] = parts as [UnderstoodPart]
  const { classes } = dataset
  return [
    `${classes.length} ${classes.length === 1 ? 'class' : 'classes'}: ${named(classes)}`,
    `Images: ${parts.map(({ name, dataset }) => `${dataset.length} ${name === 'all' ? 'in all' : name}`).join(', ')}`,
    ...describeOddities(parts),
  ]
}

/** The same without the numbers, for who shows those in another way; and why training would be refused, if it would. */
export function describeNotes(parts: readonly UnderstoodPart[]): string[] {
  const [{ name, dataset }] = parts as [UnderstoodPart]
  try {
    if (name === 'train') checkClasses(dataset)
    return describeOddities(parts)
  } catch (error) {
    return [`Training refuses this: ${(error as Error).message}`, ...describeOddities(parts)]
  }
}

function describeOddities(parts: readonly UnderstoodPart[]): string[] {
  const [{ name, dataset }] = parts as [UnderstoodPart]
  const empty = emptyClasses(dataset)
  return [
    ...(empty.length > 0 ? [`Classes without an image in ${name}: ${empty.length}, ${named(empty)}`] : []),
    ...describeSimilar(dataset.classes),
    ...describeLeftOut(parts.flatMap(({ dataset }) => dataset.leftOut ?? [])),
  ]
}

/** A line for each reason. */
const describeLeftOut = (files: readonly LeftOutFile[]): string[] =>
  countLeftOut(files).map(
    ({ reason, count, first }) =>
      `Left out: ${count}, ${reason}${count > 1 ? '; the first is' : ':'} ${printable(first)}`,
  )

/** A line for each group. */
const describeSimilar = (classes: readonly string[]): string[] =>
  similarClasses(classes).map(
    group => `Classes whose names differ in letter case or Unicode form alone: ${named(group)}; are they one?`,
  )

/**
 * @throws when there is nothing to tell apart: one class alone has images, or all that have some are called the same but
 * for letter case and Unicode form. Images that may have several classes can be told to have one or not.
 */
export function checkClasses(train: Dataset): void {
  if (train.multiLabel) return
  const empty = new Set(emptyClasses(train))
  const filled = train.classes.filter(name => !empty.has(name))
  const same = similarClasses(filled)[0]
  if (filled.length > 1 && same?.length !== filled.length) return
  const what = same
    ? `The training images are of ${named(filled)}, whose names differ in letter case or Unicode form alone`
    : `All training images are of one class${filled.length === 1 ? `, ${named(filled)}` : ''}${empty.size > 0 ? `; without an image: ${named([...empty])}` : ''}`
  throw new Error(
    `${what}. A model has nothing to tell apart; expected images of two classes at least, in folders or with labels of their own.`,
  )
}

const named = (names: readonly string[]): string => listNames(names.map(printable), most)

/** Those that no image has, where the labels are known without the images; of several to an image they are not. */
function emptyClasses({ classes, labels, length, multiLabel }: Dataset): string[] {
  if (!labels || multiLabel) return []
  const filled = new Set<number>()
  for (let i = 0; i < length; i++) filled.add(labels[i] as number)
  return classes.filter((_, label) => !filled.has(label))
}
