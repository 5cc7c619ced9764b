/** safetensors on disk. */
import { disk } from '#platform'
import { writeFileAtomic } from '../atomic-write.ts'
import { checksumField, hasChecksum, matchesChecksum, noChecksum, putChecksum } from '../hub/checksum.ts'
import {
  headerEndOf,
  parseHeader,
  parseSafetensors,
  type SafeTensor,
  type Safetensors,
  serialize,
} from './safetensors.ts'
import { type Entry, SafetensorsError } from './safetensors-header.ts'

/** The content of a safetensors file that was read from the disk. */
export interface SafetensorsFile extends Safetensors {
  /** Whether it has the checksum that `writeSafetensors` gives a file, and every byte is what was written. */
  checked: boolean
}

/**
 * Reads a safetensors file. One with a checksum is compared with it; what others wrote has none, and bytes that are in
 * memory already are not compared.
 *
 * @param source a path, or the file's bytes
 * @returns tensors by name, and the metadata without the checksum; the tensors share one buffer
 * @throws SafetensorsError for a malformed or damaged file, the file system's error for an unreadable one
 */
export async function readSafetensors(source: string | Uint8Array): Promise<SafetensorsFile> {
  const isPath = typeof source === 'string'
  const bytes = isPath ? await readWhole(source) : source
  const checked = isPath && hasChecksum(bytes)
  if (checked && !(await matchesChecksum(bytes)))
    throw new SafetensorsError(`${source} is damaged: its content does not match its checksum.`)
  const { tensors, metadata } = parseSafetensors(bytes, isPath ? source : undefined)
  const { [checksumField]: checksum, ...others } = metadata
  if (isPath && !checked && checksum !== undefined)
    throw new SafetensorsError(
      `${source} has its '${checksumField}' elsewhere than Vitral writes it: another program copied the checksum of an older content. Write the file again without that field.`,
    )
  return { tensors, metadata: others, checked }
}

export interface SafetensorsHeader {
  entries: readonly Entry[]
  /** Whether the file has the checksum that `writeSafetensors` gives one. */
  hasChecksum: boolean
}

/**
 * Reads a file's header alone: what its tensors are, before a byte of them is in memory.
 *
 * @throws SafetensorsError for a malformed one, the file system's error for an unreadable one
 */
export async function readSafetensorsHeader(path: string): Promise<SafetensorsHeader> {
  const file = await disk.open(path)
  try {
    const { size } = file
    const start = new Uint8Array(8)
    await file.read(start, 0)
    const bytes = new Uint8Array(headerEndOf(start, size, path))
    for (let position = 0; position < bytes.length; ) {
      const bytesRead = await file.read(bytes.subarray(position), position)
      if (bytesRead === 0) throw new SafetensorsError(`${path} was cut off while its header was being read.`)
      position += bytesRead
    }
    return { entries: parseHeader(bytes, size, path).entries, hasChecksum: hasChecksum(bytes) }
  } finally {
    await file.close()
  }
}

/**
 * Writes a safetensors file aside and renames it into place.
 *
 * Its metadata begin with `vitral_sha256`, by which `readSafetensors` sees that a byte has changed: the SHA-256 of the
 * file with those 64 digits taken as zeros, as `{ head -c 42 FILE; printf %064d 0; tail -c +107 FILE; } | sha256sum`
 * computes it. Other readers take it for any field; a program that rewrites the file must leave it out.
 *
 * @throws SafetensorsError for metadata with a `vitral_sha256` of their own
 */
export async function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, SafeTensor>,
  metadata: Record<string, string> = {},
): Promise<void> {
  const pieces = serialize(tensors, metadata, noChecksum)
  await putChecksum(pieces)
  await writeFileAtomic(path, pieces)
}

/**
 * One buffer of the file's size, filled piece by piece: models can be larger than what one read call takes (2 GiB). It
 * begins where the tensors come to lie aligned even if the header's length is odd, as old writers left it: then every
 * tensor is a view, and no model is in memory twice.
 */
async function readWhole(path: string): Promise<Uint8Array> {
  const file = await disk.open(path)
  try {
    const { size } = file
    const start = new Uint8Array(8)
    await file.read(start, 0)
    const shift = -(start[0] as number) & 7 // of the header's length, the lowest byte
    const bytes = new Uint8Array(size + shift).subarray(shift)
    for (let position = 0; position < size; ) {
      const bytesRead = await file.read(bytes.subarray(position), position)
      if (bytesRead === 0)
        throw new SafetensorsError(`${path} was cut off to ${position} of ${size} bytes while it was being read.`)
      position += bytesRead
    }
    return bytes
  } finally {
    await file.close()
  }
}
