/** Lists the image files below a folder, in the order of torchvision's ImageFolder. */
import { readdir, realpath, stat } from 'node:fs/promises'
import { extname, join, sep } from 'node:path'
import { compareCodePoints } from './code-points.ts'

const extensions = new Set(['.jpg', '.jpeg', '.jpe', '.jfif', '.png', '.webp', '.avif', '.gif', '.tif', '.tiff'])

export interface ImageList {
  images: string[]
  /** Hidden files and files with another extension. */
  ignored: string[]
}

/** Hidden, or what an archive made on a Mac holds beside the files. */
export const isJunk = (name: string): boolean => name.startsWith('.') || name === '__MACOSX' || name === 'Thumbs.db'

/** Names of the folders in a folder, links to folders among them, sorted by code points. */
export async function listFolders(folder: string): Promise<string[]> {
  const names: string[] = []
  for (const entry of await readdir(folder, { withFileTypes: true }))
    if (!isJunk(entry.name) && (entry.isDirectory() || (await isLinkToFolder(entry, folder)))) names.push(entry.name)
  return names.sort(compareCodePoints)
}

/**
 * All files below the folder: folders sorted by their paths, files of a folder by their names. Links are followed, each
 * folder once, so that links in a circle end; a link to nothing counts as the file that its name promises.
 */
export async function listImages(folder: string): Promise<ImageList> {
  const folders = new Map<string, string[]>()
  const visited = new Set<string>()
  const origin = await realpath(folder)
  const visit = async (path: string): Promise<void> => {
    const real = await realpath(path)
    // A link upwards would bring the images of other classes into this one.
    const isAbove = real !== origin && `${origin}${sep}`.startsWith(`${real}${sep}`)
    if (isAbove || visited.has(real)) return
    visited.add(real)
    const names: string[] = []
    folders.set(path, names)
    for (const entry of await readdir(path, { withFileTypes: true })) {
      if (!entry.isDirectory() && !(await isLinkToFolder(entry, path))) names.push(entry.name)
      else if (!isJunk(entry.name)) await visit(join(path, entry.name))
    }
  }
  await visit(folder)
  const list: ImageList = { images: [], ignored: [] }
  for (const path of [...folders.keys()].sort(compareCodePoints))
    for (const name of (folders.get(path) as string[]).sort(compareCodePoints)) {
      list[isImage(name) ? 'images' : 'ignored'].push(join(path, name))
    }
  return list
}

/** Images that lie in the folder itself, where only folders are expected. */
export async function listStrays(folder: string): Promise<string[]> {
  const names = (await readdir(folder, { withFileTypes: true })).flatMap(entry =>
    !entry.isDirectory() && isImage(entry.name) ? [entry.name] : [],
  )
  return names.sort(compareCodePoints).map(name => join(folder, name))
}

const isImage = (name: string): boolean => !isJunk(name) && extensions.has(extname(name).toLowerCase())

async function isLinkToFolder(entry: { name: string; isSymbolicLink(): boolean }, folder: string): Promise<boolean> {
  if (!entry.isSymbolicLink()) return false
  return stat(join(folder, entry.name)).then(
    target => target.isDirectory(),
    () => false,
  )
}
