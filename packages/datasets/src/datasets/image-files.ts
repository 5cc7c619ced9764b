/** A data set of image files, decoded when an example is asked for. */
import {
  type EncodedSource,
  encodedSource,
  type ImageSource,
  isPixelSource,
  isRawImage,
  nameOfSource,
  readPixels,
} from '@vitral/core/image'
import { decoder } from '#decoder'
import { type BrokenImageOptions, decodeOrSkip } from '../images/decode-or-skip.ts'
import type { Dataset, Example, RawImage } from '../types.ts'

/** An image file and its classes. */
export interface ImageFile {
  /** Path of the file. */
  path: string
  /** Index into the classes; several, or none, of a multi-label data set. */
  label: number | readonly number[]
}

/** An image and its classes. */
export interface LabelledImage {
  /** Path (in browsers the address) of its file, or the image itself; a canvas's or a video's picture of this moment. */
  path: ImageSource
  /** Index into the classes; several, or none, of a multi-label data set. */
  label: ImageFile['label']
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
 * Image files of one class each, or, when any has a list of labels, a multi-label data set. In a page also what its user
 * chose or dropped (File, Blob), and pixels (ImageData, ImageBitmap, canvas, video).
 *
 * @throws when a label is not an index into the classes, or there twice, naming the file; when there is no image in its place
 * @example
 * const dataset = imageFiles([{ path: 'cat.jpg', label: 0 }, { path: 'dog.jpg', label: 1 }], ['cat', 'dog'])
 */
export function imageFiles(
  images: readonly LabelledImage[],
  classes: readonly string[],
  { folder, ...options }: ImageFilesOptions = {},
): ImageFileDataset {
  const held = images.map(({ path, label }) => ({ path: heldSource(path), label }))
  const files = held.map(({ path, label }, i): ImageFile => ({ path: nameOf(path, i), label }))
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
        image: await decodeOrSkip(held[index]?.path as HeldSource, options),
        ...(labelled[index] as Pick<Example, 'label' | 'labels'>),
      }
    },
    keyOf: index => pathBelow(folder, files[index]?.path ?? ''),
    nameOf: index => files[index]?.path ?? `image ${index}`,
    source: { name: 'imageFiles', params: { files: located(held), classes, options } },
  }
}

/** What a worker can be sent. */
type HeldSource = RawImage | EncodedSource

const heldSource = (source: ImageSource): HeldSource => {
  if (isRawImage(source)) return source
  return isPixelSource(source) ? readPixels(source) : encodedSource(source)
}

function nameOf(source: HeldSource, index: number): string {
  const hasName = typeof source === 'string' || source instanceof URL || Boolean((source as Partial<File>).name)
  return hasName ? nameOfSource(source as EncodedSource) : `image ${index}`
}

function located(images: readonly { path: HeldSource; label: ImageFile['label'] }[]): readonly LabelledImage[] {
  const { locate } = decoder
  const placed = (path: HeldSource): HeldSource => {
    if (path instanceof URL) return path.href // threads are sent no URL
    return typeof path === 'string' && locate ? locate(path) : path
  }
  return images.map(({ path, label }) => ({ path: placed(path), label }))
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
