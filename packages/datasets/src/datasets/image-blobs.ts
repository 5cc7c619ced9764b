/** A data set of the files that a page was given, class by class: dropped, or chosen in a form. */
import { compareCodePoints } from '../sources/code-points.ts'
import { type ImageFileDataset, type ImageFilesOptions, imageFiles } from './image-files.ts'

/** The files of each class, by its name: a FileList, or any list of blobs. */
export type BlobsByClass = Readonly<Record<string, Iterable<Blob> | ArrayLike<Blob>>>

/**
 * Image files by class: `imageFiles` of them, decoded when an example is asked for, and not in memory before.
 *
 * Classes and files are in the order of their names, whatever order they were given in, as those of a folder are: a run
 * goes on when the same files are given again.
 *
 * @throws when there is no file, when one is no Blob, or two of a class have the same name
 * @example
 * const images = imageBlobs({ cat: catInput.files, dog: dogInput.files })
 */
export function imageBlobs(files: BlobsByClass, options: Omit<ImageFilesOptions, 'folder'> = {}): ImageFileDataset {
  const classes = Object.keys(files).sort(compareCodePoints)
  const images = classes.flatMap((name, label) =>
    sorted(name, Array.from(files[name] as Iterable<Blob>)).map(path => ({ path, label })),
  )
  if (images.length === 0) throw new Error('imageBlobs was given no file; expected some of each class.')
  return imageFiles(images, classes, options)
}

function sorted(className: string, blobs: readonly Blob[]): Blob[] {
  const wrong = blobs.findIndex(blob => !(blob instanceof Blob))
  if (wrong >= 0)
    throw new Error(`'${className}' has something at ${wrong} that is no file; expected File or Blob objects.`)
  const nameOf = ({ name = '' }: Partial<File>): string => name
  const inOrder = blobs.toSorted((a, b) => compareCodePoints(nameOf(a), nameOf(b)))
  const twice = inOrder.map(nameOf).find((name, i, names) => name !== '' && name === names[i - 1])
  if (twice !== undefined)
    throw new Error(`'${className}' has two files ${twice}; expected other names, or each file once.`)
  return inOrder
}
