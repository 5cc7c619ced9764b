/** From what a command line names to image files: files, folders, patterns, and the standard input. */
import { stat } from 'node:fs/promises'
import { isAbsolute } from 'node:path'
import type { ImageSource } from '@vitral/datasets/images'
import { listImages } from '@vitral/datasets/sources'
import { glob, isDynamicPattern } from 'tinyglobby'

export interface ImageInput {
  /** What results and errors call it. */
  name: string
  /** The path, or the file's bytes. */
  source: ImageSource
}

export interface FoundImages {
  /** In the order of the arguments; below a folder and for a pattern by their paths. */
  images: ImageInput[]
  /** Arguments that stand for no image, in one line each. */
  problems: string[]
  /** What folders hold besides: files that are no images by their names. */
  ignored: string[]
}

/** Largest image from the standard input, decodeImage's limit. */
const maxBytes = 2 ** 27

/**
 * @param names paths of files and of folders, whose images are found at any depth, patterns such as photos/*.jpg, and -
 * for one image from the standard input; a name that a file has is that file, whatever characters it is made of
 */
export async function findImages(
  names: readonly string[],
  stdin: AsyncIterable<Uint8Array> = process.stdin,
): Promise<FoundImages> {
  const found: FoundImages = { images: [], problems: [], ignored: [] }
  for (const [i, name] of names.entries()) {
    if (name === '-') {
      if (names.indexOf('-') < i) found.problems.push('- is there twice; the standard input is one image.')
      else found.images.push({ name, source: await readAll(stdin) })
      continue
    }
    try {
      const is = await stat(name).catch(() => undefined)
      if (is?.isDirectory()) await addFolder(found, name)
      else if (!is && isDynamicPattern(name)) await addPattern(found, name)
      else found.images.push({ name, source: name })
    } catch (error) {
      found.problems.push(`${name} cannot be read: ${(error as Error).message}`)
    }
  }
  return found
}

async function addFolder(found: FoundImages, folder: string): Promise<void> {
  const { images, ignored } = await listImages(folder)
  if (images.length === 0) found.problems.push(`${folder} holds no image file.`)
  for (const path of images) found.images.push({ name: path, source: path })
  for (const { path } of ignored) found.ignored.push(path)
}

async function addPattern(found: FoundImages, pattern: string): Promise<void> {
  const paths = await glob(pattern.replaceAll('\\', '/'), { absolute: isAbsolute(pattern), expandDirectories: false })
  if (paths.length === 0) found.problems.push(`${pattern} matches no file, and no file has that name.`)
  for (const path of paths.sort()) found.images.push({ name: path, source: path })
}

/** One byte more than the limit is enough to be refused for it. */
async function readAll(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of stream) {
    chunks.push(chunk)
    size += chunk.length
    if (size > maxBytes) break
  }
  return Buffer.concat(chunks)
}
