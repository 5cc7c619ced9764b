/** A folder that files are read from, wherever it is: on the disk, or on a server, whose files arrive as they are asked for. */
import { disk } from '#platform'
import type { OpenFile } from './disk/disk.ts'

export interface Folder {
  /** What messages call it: a path, an address or a hub id. */
  readonly name: string
  /** Whether files are verified by the time they can be opened, so that their own checksums need not be compared. */
  readonly isVerified: boolean
  /** What messages call one of its files. */
  pathOf(file: string): string
  /** @returns undefined where there is no such file */
  open(file: string): Promise<OpenFile | undefined>
  /** The names of its files, as far as they are known. */
  list(): Promise<readonly string[]>
  /** A sentence without its full stop: that there is no such file, nor the other. */
  lacks(file: string, other?: string): string
}

/** A folder of the file system; in browsers of OPFS. */
export function diskFolder(path: string): Folder {
  const pathOf = (file: string): string => disk.join(path, file)
  return {
    name: path,
    isVerified: false,
    pathOf,
    open: async file => ((await disk.exists(pathOf(file))) ? disk.open(pathOf(file)) : undefined),
    list: async () => ((await disk.exists(path)) ? disk.list(path) : []),
    lacks: (file, other) =>
      other === undefined ? `${path} has no ${file}` : `${path} has neither ${file} nor ${other}`,
  }
}

/** Does the work on a file, and closes it. @returns undefined where there is no such file */
export async function withFile<T>(
  folder: Folder,
  file: string,
  work: (content: OpenFile) => Promise<T>,
): Promise<T | undefined> {
  const content = await folder.open(file)
  if (!content) return undefined
  try {
    return await work(content)
  } finally {
    await content.close()
  }
}
