/** Image files sorted into folders by class, as torchvision's ImageFolder reads them. */
import { stat } from 'node:fs/promises'
import { listNames } from '@vitral/core/text'
import { findClass } from '../datasets/class-names.ts'
import { type ImageFile, type ImageFileDataset, imageFiles } from '../datasets/image-files.ts'
import { pathIn, pathOnDisk } from '../files/file-names.ts'
import type { BrokenImageOptions } from '../images/decode-or-skip.ts'
import { findSplitFolders, type SplitFolders } from './find-split-folders.ts'
import { ignoredBecause, type LeftOutFile } from './left-out.ts'
import { listFolders, listImages, listStrays } from './list-images.ts'
import {
  checkSplit,
  choosePart,
  type Split,
  type SplitChoice,
  type SplitOptions,
  splits,
  stratifiedSplit,
} from './split.ts'

/** Settings of `openImageFolder`. */
export interface ImageFolderOptions extends BrokenImageOptions, SplitOptions {
  /** One split, or 'all' images whichever they are in. */
  split: SplitChoice
}

/** A data set of a folder, which also says which files were ignored. */
export interface ImageFolderDataset extends ImageFileDataset {
  /** Paths of hidden files, of those that are no images by their names, and of images and folders that are in no class. */
  readonly ignored: readonly string[]
}

/**
 * Opens a folder of images.
 *
 * Either `FOLDER/train/CLASS/IMAGE` and the same in `val` or `test`; of these one stands in for the other when it is
 * missing. They may have any of the names that people give splits, such as `Training`, `valid` or `Testing`, in any case.
 * Or, where a folder of such a name has images and no folders, and so is a class, or there is none, `FOLDER/CLASS/IMAGE`,
 * of which seeded shares of every class become the validation and test splits. The classes are the names of the folders in
 * the order of their code points, as torchvision has them; those of all splits are the ones of training. Images may lie in
 * folders below their class. Hidden files and files with another extension than an image's are ignored, which `leftOut`
 * lists, and links are followed. Names need not be UTF-8; see `textOfName`.
 *
 * @throws when there is no such folder, or no class, or no image in it, or a class that training does not have; when it
 * mixes splits and classes, or has two folders for one split
 * @example
 * const train = await openImageFolder('flowers', { split: 'train' })
 * train.classes // ['daisy', 'rose']
 */
export async function openImageFolder(folder: string, options: ImageFolderOptions): Promise<ImageFolderDataset> {
  const { split, fractions, seed, ...rest } = options
  checkSplit(split)
  const found = await findParts(folder)
  const { parts } = found
  const { train = parts.validation ?? parts.test ?? folder } = parts
  const classes = await classesOf(train)
  const roots = rootsOf(folder, parts, split)
  const lists = await Promise.all(roots.map(root => listClasses(root, classes)))
  const files = lists.flatMap(list => list.files)
  const beside = roots.includes(folder) ? [] : await besideSplits(folder, found)
  const ignored = [...beside, ...lists.flatMap(list => list.ignored)]
  const isDivided = !parts.validation && !parts.test && split !== 'all'
  const top = roots.length === 1 ? (roots[0] as string) : folder
  const chosen = isDivided
    ? choosePart(divide(top, files, classes, { fractions, seed }), split).map(i => files[i] as ImageFile)
    : files
  if (chosen.length === 0)
    throw new Error(
      `${top} has no image for ${split}: ${files.length} images in ${classes.length} classes, ${ignored.length} files ignored. Expected CLASS/IMAGE.jpg, .jpeg, .png, .webp, .avif, .gif, .tif, .bmp, .ppm or .pgm.`,
    )
  return {
    ...imageFiles(chosen, classes, { ...rest, folder: top }),
    ignored: ignored.map(({ path }) => path),
    leftOut: ignored,
  }
}

/**
 * The splits that a folder has: those with a folder of their own, or those into which one folder is divided.
 *
 * @throws when there is no such folder, or no class in it
 */
export async function imageFolderSplits(folder: string, options: SplitOptions = {}): Promise<Split[]> {
  const { train, validation, test } = (await findParts(folder)).parts
  if (validation || test) return splits.filter(split => ({ train, validation, test })[split])
  const root = train ?? folder
  const classes = await classesOf(root)
  const parts = divide(root, (await listClasses(root, classes)).files, classes, options)
  return splits.filter(split => parts[split].length > 0)
}

/**
 * The splits that have a folder of their own; none of a folder in one piece.
 *
 * @throws when there is no such folder
 */
export async function imageFolderOwnSplits(folder: string): Promise<Split[]> {
  const { parts } = await findParts(folder)
  return splits.filter(split => parts[split])
}

async function findParts(folder: string): Promise<SplitFolders> {
  const is = await stat(pathOnDisk(folder)).catch(() => undefined)
  if (!is?.isDirectory())
    throw new Error(`${folder} ${is ? 'is a file' : 'does not exist'}; expected a folder of images.`)
  return findSplitFolders(folder)
}

/** The folders with the classes of a split, where validation and test stand in for each other. */
function rootsOf(folder: string, parts: SplitFolders['parts'], split: SplitChoice): string[] {
  const { train, validation, test } = parts
  const held = { validation: validation ?? test, test: test ?? validation }
  if (split === 'all') {
    const all = splits.flatMap(name => parts[name] ?? [])
    return all.length > 0 ? all : [folder]
  }
  if (split === 'train' && !train && held.test)
    throw new Error(`${folder} has a folder ${held.test.slice(folder.length + 1)}, but none named train.`)
  return [split === 'train' ? (train ?? folder) : (held[split] ?? train ?? folder)]
}

/** What lies in the folder beside those of its splits. */
async function besideSplits(folder: string, { others }: SplitFolders): Promise<LeftOutFile[]> {
  const { images, hidden } = await listStrays(folder)
  return [
    ...images.map(path => ({ path, reason: ignoredBecause.noClass })),
    ...others.map(name => ({ path: pathIn(folder, name), reason: ignoredBecause.noSplit })),
    ...hidden.map(path => ({ path, reason: ignoredBecause.hidden })),
  ]
}

async function classesOf(folder: string): Promise<string[]> {
  const classes = await listFolders(folder)
  if (classes.length > 0) return classes
  const { images, ignored } = await listImages(folder)
  throw new Error(
    `${folder} has no folders, which would be its classes, but ${images.length} images and ${ignored.length} other files; expected ${pathIn(pathIn(folder, 'CLASS'), 'IMAGE.jpg')}.`,
  )
}

async function listClasses(
  root: string,
  classes: readonly string[],
): Promise<{ files: FolderImage[]; ignored: LeftOutFile[] }> {
  const files: FolderImage[] = []
  const { images, hidden } = await listStrays(root)
  const ignored: LeftOutFile[] = [
    ...images.map(path => ({ path, reason: ignoredBecause.noClass })),
    ...hidden.map(path => ({ path, reason: ignoredBecause.hidden })),
  ]
  for (const name of await listFolders(root)) {
    const label = findClass(classes, name)
    if (label < 0)
      throw new Error(
        `${pathIn(root, name)} is of a class that training does not have; its ${classes.length} are ${listNames(classes)}.`,
      )
    const list = await listImages(pathIn(root, name))
    for (const path of list.images) files.push({ path, label })
    for (const file of list.ignored) ignored.push(file)
  }
  return { files, ignored }
}

/** A folder gives each of its images one class. */
interface FolderImage extends ImageFile {
  label: number
}

const divide = (
  root: string,
  files: readonly FolderImage[],
  classes: readonly string[],
  options: SplitOptions,
): Record<Split, number[]> => {
  const { labels = [], keyOf } = imageFiles(files, classes, { folder: root })
  return stratifiedSplit(labels, { ...options, classes, keyOf })
}
