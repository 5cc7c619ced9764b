/** A data set of image files, decoded when an example is asked for. */
import { decoder } from '#decoder'
import { type BrokenImageOptions, decodeOrSkip } from '../images/decode-or-skip.ts'
import type { Dataset, Example } from '../types.ts'

/** An image file and its classes. */
export interface ImageFile {
  path: string
  /** Index into the classes; several, or none, of a multi-label data set. */
  label: number | readonly number[]
}

export interface ImageFilesOptions extends BrokenImageOptions {
  /** The files' paths below it tell them apart: then the data set is the same wherever the folder lies. */
  folder?: string
}

/** A data set of image files, which also says which files it has. */
export interface ImageFileDataset extends Dataset {
  /** In the order of the examples. */
  readonly files: readonly ImageFile[]
}

/**
 * Files of one class each, or, when any has a list of labels, a multi-label data set.
 *
 * @throws when a label is not an index into the classes, or there twice, naming the file
 * @example
 * const dataset = imageFiles([{ path: 'cat.jpg', label: 0 }, { path: 'dog.jpg', label: 1 }], ['cat', 'dog'])
 */
export function imageFiles(
  files: readonly ImageFile[],
  classes: readonly string[],
  { folder, ...options }: ImageFilesOptions = {},
): ImageFileDataset {
  for (const { path, label } of files) checkLabel(path, label, classes)
  const multiLabel = files.some(({ label }) => typeof label !== 'number')
  const labelled = files.map(({ label }) => labelsOf(label, multiLabel))
  return {
    length: files.length,
    classes,
    ...(multiLabel && { multiLabel }),
    labels: labelled.map(({ label }) => label),
    files,
    async get(index) {
      const file = files[index]
      if (!file) throw new RangeError(`Example ${index} was asked for; the data set has ${files.length}, from 0.`)
      return {
        image: await decodeOrSkip(file.path, options),
        ...(labelled[index] as Pick<Example, 'label' | 'labels'>),
      }
    },
    keyOf: index => pathBelow(folder, files[index]?.path ?? ''),
    nameOf: index => files[index]?.path ?? `image ${index}`,
    source: { name: 'imageFiles', params: { files: located(files), classes, options } },
  }
}

function located(files: readonly ImageFile[]): readonly ImageFile[] {
  const { locate } = decoder
  return locate ? files.map(({ path, label }) => ({ path: locate(path), label })) : files
}

/** With the same separators on every system. */
function pathBelow(folder: string | undefined, path: string): string {
  const plain = path.replaceAll('\\', '/')
  const start = folder === undefined ? '' : `${folder.replaceAll('\\', '/').replace(/\/+$/, '')}/`
  return plain.startsWith(start) ? plain.slice(start.length) : plain
}

function checkLabel(path: string, label: ImageFile['label'], classes: readonly string[]): void {
  const labels = typeof label === 'number' ? [label] : label
  for (const [i, one] of labels.entries()) {
    if (classes[one] === undefined)
      throw new Error(`${path} has label ${one}; expected 0 to ${classes.length - 1} for ${classes.length} classes.`)
    if (labels.indexOf(one) !== i) throw new Error(`${path} has the class '${classes[one]}' twice.`)
  }
}

function labelsOf(label: ImageFile['label'], multiLabel: boolean): Pick<Example, 'label' | 'labels'> {
  const labels = typeof label === 'number' ? [label] : label
  return multiLabel ? { label: labels[0] ?? -1, labels } : { label: labels[0] as number }
}
