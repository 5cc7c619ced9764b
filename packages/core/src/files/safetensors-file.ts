/** safetensors on disk. */
import {
  parseSafetensors,
  type SafeTensor,
  type Safetensors,
  SafetensorsError,
  serializeSafetensors,
} from './safetensors.ts'
import { writeFileAside } from './write-aside.ts'

/**
 * Reads a safetensors file.
 *
 * @param source a path, or the file's bytes
 * @returns tensors by name, and the metadata; the tensors share one buffer
 * @throws SafetensorsError for a malformed file, the file system's error for an unreadable one
 */
export async function readSafetensors(source: string | Uint8Array): Promise<Safetensors> {
  return typeof source === 'string' ? parseSafetensors(await readWhole(source), source) : parseSafetensors(source)
}

/** Writes a safetensors file aside and renames it into place. */
export async function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, SafeTensor>,
  metadata: Record<string, string> = {},
): Promise<void> {
  await writeFileAside(path, serializeSafetensors(tensors, metadata))
}

/**
 * One buffer of the file's size, filled piece by piece: models can be larger than what one read call takes (2 GiB). It
 * begins where the tensors come to lie aligned even if the header's length is odd, as old writers left it: then every
 * tensor is a view, and no model is in memory twice.
 */
async function readWhole(path: string): Promise<Uint8Array> {
  const { open } = await import('node:fs/promises')
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    const { buffer: start } = await file.read(new Uint8Array(8), 0, 8, 0)
    const shift = -(start[0] as number) & 7 // of the header's length, the lowest byte
    const bytes = new Uint8Array(size + shift).subarray(shift)
    for (let position = 0; position < size; ) {
      const length = Math.min(size - position, 2 ** 30)
      const { bytesRead } = await file.read(bytes, position, length, position)
      if (bytesRead === 0)
        throw new SafetensorsError(`${path} was cut off to ${position} of ${size} bytes while it was being read.`)
      position += bytesRead
    }
    return bytes
  } finally {
    await file.close()
  }
}
