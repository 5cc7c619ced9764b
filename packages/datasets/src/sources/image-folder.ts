/** Image files sorted into folders by class, as torchvision's ImageFolder reads them. */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { BrokenImageOptions } from '../decode-or-skip.ts'
import { type ImageFile, type ImageFileDataset, imageFiles } from '../image-files.ts'
import { listFolders, listImages, listStrays } from './list-images.ts'
import { checkSplit, choosePart, type Split, type SplitOptions, splits, stratifiedSplit } from './split.ts'

export interface ImageFolderOptions extends BrokenImageOptions, SplitOptions {
  split: Split
}

export interface ImageFolderDataset extends ImageFileDataset {
  /** Paths of the files that are no images by their names, and of images and folders that are in no class. */
  readonly ignored: readonly string[]
}

const folderNames: Record<Split, readonly string[]> = {
  train: ['train', 'training'],
  validation: ['validation', 'val', 'valid'],
  test: ['test'],
}

/**
 * Opens a folder of images.
 *
 * Either `FOLDER/train/CLASS/IMAGE` and the same in `val` or `test`; of these one stands in for the other when it is
 * missing. Or, where a folder of such a name has images and no folders, and so is a class, or there is none, `FOLDER/CLASS/IMAGE`, of which seeded shares of every class are held out for validation and test. The
 * classes are the names of the folders in the order of their code points, as torchvision has them; those of all splits are
 * the ones of training. Images may lie in folders below their class. Hidden files and files with another extension than
 * an image's are ignored, and links are followed.
 *
 * @throws when there is no such folder, or no class, or no image in it, or a class that training does not have
 * @example
 * const train = await openImageFolder('flowers', { split: 'train' })
 * train.classes // ['daisy', 'rose']
 */
export async function openImageFolder(folder: string, options: ImageFolderOptions): Promise<ImageFolderDataset> {
  const { split, fractions, seed, ...rest } = options
  checkSplit(split)
  const { parts, others } = await findParts(folder)
  const { train = parts.validation ?? parts.test ?? folder } = parts
  const classes = await classesOf(train)
  const held = { validation: parts.validation ?? parts.test, test: parts.test ?? parts.validation }
  if (split === 'train' && !parts.train && held.test)
    throw new Error(`${folder} has a folder ${held.test.slice(folder.length + 1)}, but none named train.`)
  const root = split === 'train' ? train : (held[split] ?? train)
  const { files, ignored } = await listClasses(root, classes)
  const chosen = held.test
    ? files
    : choosePart(divide(root, files, classes, { fractions, seed }), split).map(i => files[i] as ImageFile)
  if (chosen.length === 0)
    throw new Error(
      `${root} has no image for ${split}: ${files.length} images in ${classes.length} classes, ${ignored.length} files ignored. Expected CLASS/IMAGE.jpg, .jpeg, .png, .webp, .avif, .gif or .tif.`,
    )
  const strays = root === folder ? [] : await listStrays(folder)
  const beside = root === folder ? [] : others.map(name => join(folder, name))
  return { ...imageFiles(chosen, classes, { ...rest, folder: root }), ignored: [...strays, ...beside, ...ignored] }
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

/** The folders of the splits, and the names of those beside them. */
async function findParts(folder: string): Promise<{ parts: Partial<Record<Split, string>>; others: string[] }> {
  const is = await stat(folder).catch(() => undefined)
  if (!is?.isDirectory())
    throw new Error(`${folder} ${is ? 'is a file' : 'does not exist'}; expected a folder of images.`)
  const splitNames = Object.values(folderNames).flat()
  const all = await listFolders(folder)
  const named = all.filter(name => splitNames.includes(name))
  const others = all.filter(name => !splitNames.includes(name))
  const holdFolders: string[] = []
  for (const name of named) if ((await listFolders(join(folder, name))).length > 0) holdFolders.push(name)
  if (others.length > 0) {
    if (holdFolders.length === 0) return { parts: {}, others } // classes whose names are those of splits
    for (const name of others)
      if ((await listStrays(join(folder, name))).length > 0)
        throw new Error(
          `${folder} has the folder ${holdFolders[0]}, which holds folders as a split of a data set does, beside ${name}, which holds images as a class does. Expected train, val and test with a folder for each class in them, or folders of classes alone: move ${name} elsewhere, or give ${holdFolders[0]} another name.`,
        )
  }
  const parts: Partial<Record<Split, string>> = {}
  for (const [split, names] of Object.entries(folderNames) as [Split, readonly string[]][]) {
    const name = names.find(name => named.includes(name))
    if (name) parts[split] = join(folder, name)
  }
  return { parts, others }
}

async function classesOf(folder: string): Promise<string[]> {
  const classes = await listFolders(folder)
  if (classes.length > 0) return classes
  const { images, ignored } = await listImages(folder)
  throw new Error(
    `${folder} has no folders, which would be its classes, but ${images.length} images and ${ignored.length} other files; expected ${join(folder, 'CLASS', 'IMAGE.jpg')}.`,
  )
}

async function listClasses(
  root: string,
  classes: readonly string[],
): Promise<{ files: FolderImage[]; ignored: string[] }> {
  const files: FolderImage[] = []
  const ignored = await listStrays(root)
  for (const name of await listFolders(root)) {
    const label = classes.indexOf(name)
    if (label < 0)
      throw new Error(
        `${join(root, name)} is of a class that training does not have; its ${classes.length} are ${classes.slice(0, 10).join(', ')}${classes.length > 10 ? ', …' : ''}.`,
      )
    const list = await listImages(join(root, name))
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
