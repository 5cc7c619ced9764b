/** A data set of image files, decoded when an example is asked for. */
import { type BrokenImageOptions, decodeOrSkip } from './decode-or-skip.ts'
import type { Dataset } from './types.ts'

export interface ImageFile {
  path: string
  /** Index into the classes. */
  label: number
}

export interface ImageFileDataset extends Dataset {
  /** In the order of the examples. */
  readonly files: readonly ImageFile[]
}

/**
 * @throws when a label is not an index into the classes, naming the file
 * @example
 * const dataset = imageFiles([{ path: 'cat.jpg', label: 0 }, { path: 'dog.jpg', label: 1 }], ['cat', 'dog'])
 */
export function imageFiles(
  files: readonly ImageFile[],
  classes: readonly string[],
  options: BrokenImageOptions = {},
): ImageFileDataset {
  for (const { path, label } of files)
    if (classes[label] === undefined)
      throw new Error(`${path} has label ${label}; expected 0 to ${classes.length - 1} for ${classes.length} classes.`)
  return {
    length: files.length,
    classes,
    labels: files.map(({ label }) => label),
    files,
    async get(index) {
      const file = files[index]
      if (!file) throw new RangeError(`Example ${index} was asked for; the data set has ${files.length}, from 0.`)
      return { image: await decodeOrSkip(file.path, options), label: file.label }
    },
    source: { name: 'imageFiles', params: { files, classes, options } },
  }
}
