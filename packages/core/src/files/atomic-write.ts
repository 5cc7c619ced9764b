/** Replaces a file so that a reader, or the next run after a crash, finds the old content or the new, never a part. */
import { dirname, join, open, readdir, rename, rm, statfs } from '#platform'
import { type FreeSpace, writeError } from './write-error.ts'

/** How the file is called while it is written; one that a killed process left can be removed. */
const leftover = /\.[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}\.tmp$/

/**
 * Writes beside the file, flushes to the disk, renames, and flushes the folder's entry.
 *
 * @param pieces text, or bytes in order
 * @throws WriteError when there is no room or no permission, else the file system's error; the file is then as it was
 * before, and nothing is left beside it
 */
export async function writeFileAtomic(path: string, pieces: string | readonly Uint8Array[]): Promise<void> {
  const temporary = `${path}.${globalThis.crypto.randomUUID()}.tmp` // writers of the same file keep out of each other's way
  const contents = typeof pieces === 'string' ? [new TextEncoder().encode(pieces)] : pieces
  try {
    const file = await open(temporary, 'w')
    try {
      for (const piece of contents)
        for (let rest = piece; rest.length > 0; ) rest = rest.subarray((await file.write(rest)).bytesWritten)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    const bytes = contents.reduce((sum, { length }) => sum + length, 0)
    await rm(temporary, { force: true }).catch(() => {}) // the reason of the failure says more than that of the removal
    throw writeError(error, { path, bytes, free: await freeSpace(dirname(path)) })
  }
  await flushFolder(dirname(path))
}

/** Removes from a folder what writers left that were killed. Call it when nobody writes there. */
export async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder))
    if (leftover.test(name)) await rm(join(folder, name), { recursive: true, force: true })
}

/** Makes renames in a folder durable. */
export async function flushFolder(folder: string): Promise<void> {
  if (globalThis.process.platform === 'win32') return // folders cannot be opened there; NTFS journals renames itself
  const descriptor = await open(folder, 'r')
  try {
    await descriptor.sync()
  } finally {
    await descriptor.close()
  }
}

async function freeSpace(folder: string): Promise<FreeSpace | undefined> {
  try {
    const { bavail, bsize, files, ffree } = await statfs(folder)
    return { bytes: bavail * bsize, files: files === 0 ? Infinity : ffree } // btrfs has no fixed number of inodes
  } catch {
    return undefined
  }
}
