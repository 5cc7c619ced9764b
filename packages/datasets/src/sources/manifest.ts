/** Image files named by a list: a CSV with a header, or JSON objects one a line. */
import { dirname, resolve } from 'node:path'
import { listNames } from '@vitral/core/text'
import { findClass } from '../datasets/class-names.ts'
import { type ImageFile, type ImageFileDataset, imageFiles } from '../datasets/image-files.ts'
import type { BrokenImageOptions } from '../images/decode-or-skip.ts'
import { compareCodePoints } from './code-points.ts'
import { type ManifestEntry, readManifestEntries } from './manifest-entries.ts'
import {
  checkSplit,
  choosePart,
  type Split,
  type SplitChoice,
  type SplitOptions,
  splits,
  stratifiedSplit,
} from './split.ts'

/** Settings of `openManifest`. */
export interface ManifestOptions extends BrokenImageOptions, SplitOptions {
  /** One split, or 'all' images whichever they are in. */
  split: SplitChoice
  /** Names of the classes, in the order of the labels. @default those in the file, sorted */
  classes?: readonly string[]
}

/**
 * Opens a list of images: `path` and `label`, and if there is one `split`, which is train, validation or test, or another
 * name that people give them, such as val or Testing. Without it, seeded shares of every class become the validation and test splits. Paths are relative to the list's folder.
 * Labels are the names of classes, sorted by code points, or as numbers when all are whole numbers. A list with `labels`
 * in place of `label` is a multi-label data set: names divided by bars, or in JSON an array, which may be empty.
 *
 * @param path a .csv (RFC 4180, with a header), a .tsv, or a .jsonl
 * @throws naming the file and the line that is wrong
 * @example
 * // flowers.csv: path,label
 * //              images/1.jpg,daisy
 * //              "images/2, from above.jpg",rose
 * const train = await openManifest('flowers.csv', { split: 'train' })
 */
export async function openManifest(path: string, options: ManifestOptions): Promise<ImageFileDataset> {
  const { split, fractions, seed, classes: given, ...rest } = options
  checkSplit(split)
  const entries = await readManifestEntries(path)
  const classes = given ?? classesOf(entries)
  const labels = new Map(classes.map((name, label) => [name, label]))
  const files = entries.map<ImageFile>(({ path: file, label }) => {
    const labelNamed = (name: string): number => {
      const found = labels.get(name) ?? findClass(classes, name)
      if (found >= 0) return found
      throw new Error(`${path}: ${file} has label '${name}'; expected one of ${listNames(classes)}.`)
    }
    return {
      path: resolve(dirname(path), file),
      label: typeof label === 'string' ? labelNamed(label) : label.map(labelNamed),
    }
  })
  const chosen =
    split === 'all'
      ? files
      : choosePart(divide(entries, classes, { fractions, seed }), split).map(i => files[i] as ImageFile)
  if (chosen.length === 0) throw new Error(`${path} names no image for ${split}, of ${files.length}.`)
  return imageFiles(chosen, classes, { ...rest, folder: dirname(resolve(path)) })
}

/**
 * The splits that a list has: those it names, or those into which it is divided.
 *
 * @throws naming the file and the line that is wrong
 */
export async function manifestSplits(path: string, options: SplitOptions = {}): Promise<Split[]> {
  const entries = await readManifestEntries(path)
  const parts = divide(entries, classesOf(entries), options)
  return splits.filter(split => parts[split].length > 0)
}

/**
 * The splits that a list names; none where it has no `split`.
 *
 * @throws naming the file and the line that is wrong
 */
export async function manifestOwnSplits(path: string): Promise<Split[]> {
  const entries = await readManifestEntries(path)
  if (!entries.some(({ split }) => split)) return []
  const parts = divide(entries, classesOf(entries), {})
  return splits.filter(split => parts[split].length > 0)
}

function classesOf(entries: readonly ManifestEntry[]): string[] {
  const names = [...new Set(entries.flatMap(({ label }) => label))]
  const areNumbers = names.every(name => /^\d+$/.test(name))
  return names.sort(areNumbers ? (a, b) => Number(a) - Number(b) : compareCodePoints)
}

/** An entry without a split is one of training, when others have one. */
function divide(
  entries: readonly ManifestEntry[],
  classes: readonly string[],
  options: SplitOptions,
): Record<Split, number[]> {
  if (!entries.some(({ split }) => split))
    return stratifiedSplit(
      entries.map(({ label }) => classes.indexOf(typeof label === 'string' ? label : (label[0] ?? ''))),
      { ...options, classes, keyOf: index => (entries[index] as ManifestEntry).path },
    )
  const parts: Record<Split, number[]> = { train: [], validation: [], test: [] }
  for (const [i, { split = 'train' }] of entries.entries()) parts[split].push(i)
  return parts
}
