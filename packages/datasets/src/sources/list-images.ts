/** Lists the image files below a folder, in the order of torchvision's ImageFolder, and what else lies there. */
import { lstat, readdir, realpath, stat } from 'node:fs/promises'
import { extname, sep } from 'node:path'
import { pathIn, pathOnDisk, textOfName } from '../files/file-names.ts'
import { compareCodePoints } from './code-points.ts'
import { ignoredBecause, type LeftOutFile } from './left-out.ts'

const extensions = new Set([
  ...['.jpg', '.jpeg', '.jpe', '.jfif', '.png', '.webp', '.avif', '.gif', '.tif', '.tiff'],
  ...['.bmp', '.dib', '.ppm', '.pgm', '.pbm', '.pnm'],
])

/** Files below a folder: images, and what was ignored. */
export interface ImageList {
  /** Paths of the image files. */
  images: string[]
  /** Hidden files and folders, files with another extension, and links that lead to a folder once more. */
  ignored: LeftOutFile[]
}

/** Hidden, or what an archive made on a Mac holds beside the files. */
export const isJunk = (name: string): boolean => name.startsWith('.') || name === '__MACOSX' || name === 'Thumbs.db'

/** Names of the folders in a folder, links to folders among them, sorted by code points. */
export async function listFolders(folder: string): Promise<string[]> {
  const entries = await entriesOf(folder)
  return entries.flatMap(({ name, isFolder }) => (isFolder && !isJunk(name) ? [name] : [])).sort(compareCodePoints)
}

/**
 * All files below the folder: folders sorted by their paths, files of a folder by their names. Links are followed, each
 * folder once, so that links in a circle end; a link to nothing counts as the file that its name promises.
 */
export async function listImages(folder: string): Promise<ImageList> {
  const folders = new Map<string, string[]>()
  const visited = new Set<string>()
  const list: ImageList = { images: [], ignored: [] }
  const origin = await realPath(folder)
  const visit = async (path: string): Promise<void> => {
    const real = await realPath(path)
    // A link upwards would bring the images of other classes into this one.
    const isAbove = real !== origin && `${origin}${sep}`.startsWith(`${real}${sep}`)
    if (isAbove || visited.has(real)) {
      list.ignored.push({ path, reason: ignoredBecause.seen })
      return
    }
    visited.add(real)
    const names: string[] = []
    folders.set(path, names)
    for (const { name, isFolder } of await entriesOf(path)) {
      if (!isFolder) names.push(name)
      else if (isJunk(name)) list.ignored.push({ path: pathIn(path, name), reason: ignoredBecause.hidden })
      else await visit(pathIn(path, name))
    }
  }
  await visit(folder)
  for (const path of [...folders.keys()].sort(compareCodePoints))
    for (const name of (folders.get(path) as string[]).sort(compareCodePoints)) {
      const file = pathIn(path, name)
      if (isImage(name)) list.images.push(file)
      else list.ignored.push({ path: file, reason: reasonOf(name) })
    }
  return list
}

/** Images that lie in the folder itself, where only folders are expected, and hidden folders. */
export async function listStrays(folder: string): Promise<{ images: string[]; hidden: string[] }> {
  const entries = (await entriesOf(folder)).sort((a, b) => compareCodePoints(a.name, b.name))
  const pathsOf = (chosen: readonly Entry[]): string[] => chosen.map(({ name }) => pathIn(folder, name))
  return {
    images: pathsOf(entries.filter(({ name, isFolder }) => !isFolder && isImage(name))),
    hidden: pathsOf(entries.filter(({ name, isFolder }) => isFolder && isJunk(name))),
  }
}

const extensionOf = (name: string): string => extname(name).toLowerCase()

const isImage = (name: string): boolean => !isJunk(name) && extensions.has(extensionOf(name))

const reasonOf = (name: string): string =>
  isJunk(name) ? ignoredBecause.hidden : ignoredBecause.extension(extensionOf(name))

interface Entry {
  name: string
  isFolder: boolean
}

async function entriesOf(folder: string): Promise<Entry[]> {
  const path = pathOnDisk(folder)
  const entries = await readdir(path, { withFileTypes: true })
  const made: Promise<Entry>[] = entries.some(({ name }) => name.includes('\uFFFD'))
    ? // Some name is not UTF-8 and was replaced. Bun gives bytes or kinds of files, not both.
      (await readdir(path, { encoding: 'buffer' })).map(async bytes => {
        const name = textOfName(bytes)
        return toEntry(name, folder, await lstat(pathOnDisk(pathIn(folder, name))))
      })
    : entries.map(entry => toEntry(entry.name, folder, entry))
  return Promise.all(made)
}

async function toEntry(
  name: string,
  folder: string,
  kind: { isDirectory(): boolean; isSymbolicLink(): boolean },
): Promise<Entry> {
  if (!kind.isSymbolicLink()) return { name, isFolder: kind.isDirectory() }
  const target = await stat(pathOnDisk(pathIn(folder, name))).catch(() => undefined)
  return { name, isFolder: target?.isDirectory() ?? false }
}

const realPath = async (path: string): Promise<string> =>
  textOfName(await realpath(pathOnDisk(path), { encoding: 'buffer' }))
