/** Replaces a file so that a reader, or the next run after a crash, finds the old content or the new, never a part. */
import { disk } from '#platform'

/**
 * Writes aside and exchanges.
 *
 * @param pieces text, or bytes in order
 * @throws WriteError when there is no room or no permission, else the file system's error; the file is then as it was
 * before, and nothing is left beside it
 */
export const writeFileAtomic = (path: string, pieces: string | readonly Uint8Array[]): Promise<void> =>
  disk.write(path, typeof pieces === 'string' ? [new TextEncoder().encode(pieces)] : pieces)
