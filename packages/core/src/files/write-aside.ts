/** Replaces a file so that a reader, or the next run after a crash, finds the old content or the new, never a part. */

/**
 * Writes beside the file, flushes to the disk, renames, and flushes the folder's entry.
 *
 * @param pieces text, or bytes in order
 * @throws the file system's error; the file is then as it was before, and nothing is left beside it
 */
export async function writeFileAside(path: string, pieces: string | readonly Uint8Array[]): Promise<void> {
  const { open, rename, rm } = await import('node:fs/promises')
  const { dirname } = await import('node:path')
  const aside = `${path}.${globalThis.crypto.randomUUID()}.tmp` // writers of the same file keep out of each other's way
  try {
    const file = await open(aside, 'w')
    try {
      for (const piece of typeof pieces === 'string' ? [new TextEncoder().encode(pieces)] : pieces)
        for (let rest = piece; rest.length > 0; ) rest = rest.subarray((await file.write(rest)).bytesWritten)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(aside, path)
  } catch (error) {
    await rm(aside, { force: true })
    throw error
  }
  await flushFolder(dirname(path))
}

/** Makes renames in a folder durable. */
export async function flushFolder(folder: string): Promise<void> {
  if (globalThis.process.platform === 'win32') return // folders cannot be opened there; NTFS journals renames itself
  const { open } = await import('node:fs/promises')
  const descriptor = await open(folder, 'r')
  try {
    await descriptor.sync()
  } finally {
    await descriptor.close()
  }
}
