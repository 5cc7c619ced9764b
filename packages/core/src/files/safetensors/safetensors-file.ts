/** safetensors on disk. */
import { disk } from '#platform'
import { writeFileAtomic } from '../atomic-write.ts'
import type { OpenFile } from '../disk/disk.ts'
import { type Folder, withFile } from '../folder.ts'
import { checksumField, FileChecksum, hasChecksum, noChecksum, putChecksum } from '../hub/checksum.ts'
import { viewAs } from './dtypes.ts'
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
  if (checked) {
    const checksum = new FileChecksum()
    checksum.update(bytes)
    if (!checksum.matches()) throw damagedError(source)
  }
  const { tensors, metadata } = parseSafetensors(bytes, isPath ? source : undefined)
  const { [checksumField]: checksum, ...others } = metadata
  if (isPath && !checked && checksum !== undefined) throw copiedError(source)
  return { tensors, metadata: others, checked }
}

export interface SafetensorsHeader {
  /** In the order of their bytes. */
  entries: readonly Entry[]
  /** Whether the file has the checksum that `writeSafetensors` gives one. */
  hasChecksum: boolean
  /** The bytes before the tensors'. */
  beginning: Uint8Array
}

/**
 * Reads a file's header alone: what its tensors are, before a byte of them is in memory.
 *
 * @throws SafetensorsError for a malformed one
 */
export async function readSafetensorsHeader(file: OpenFile, path: string): Promise<SafetensorsHeader> {
  const start = new Uint8Array(8)
  await file.read(start, 0)
  const beginning = new Uint8Array(headerEndOf(start, file.size, path))
  await fill(beginning, file, 0, path)
  const { entries, metadata } = parseHeader(beginning, file.size, path)
  const isChecked = hasChecksum(beginning)
  if (!isChecked && metadata[checksumField] !== undefined) throw copiedError(path)
  return { entries: entries.toSorted((a, b) => a.begin - b.begin), hasChecksum: isChecked, beginning }
}

/**
 * Reads the tensors one after the other through one buffer, which is as large as the largest of them: no file, however
 * large, takes more memory than that. Each is the visitor's until it returns.
 *
 * @param wanted whether a tensor is read; what is not is passed over, unless the checksum takes it
 * @param compare with the checksum that the file has
 * @throws SafetensorsError for a damaged file, once all of it was read; the visitor's errors; the signal's reason
 */
export async function readTensors(
  file: OpenFile,
  { entries, hasChecksum, beginning }: SafetensorsHeader,
  { path, wanted, compare, signal }: ReadTensorsOptions,
  visit: (name: string, tensor: SafeTensor) => void,
): Promise<void> {
  const checksum = compare && hasChecksum ? new FileChecksum() : undefined
  checksum?.update(beginning)
  const read = entries.filter(({ name }) => checksum || wanted(name))
  const buffer = new Uint8Array(read.reduce((most, { begin, end }) => Math.max(most, end - begin), 0))
  for (const { name, dtype, shape, begin, end } of read) {
    signal?.throwIfAborted()
    const bytes = buffer.subarray(0, end - begin)
    await fill(bytes, file, beginning.length + begin, path)
    checksum?.update(bytes)
    if (wanted(name)) visit(name, { dtype, shape, data: viewAs(dtype, bytes) })
  }
  if (checksum && !checksum.matches()) throw damagedError(path)
}

export interface ReadTensorsOptions {
  path: string
  wanted: (name: string) => boolean
  compare: boolean
  signal?: AbortSignal | undefined
}

/**
 * Reads all tensors of a folder's file.
 *
 * @returns copies, by name; undefined where there is no such file
 * @throws SafetensorsError for a malformed or damaged file
 */
export const readSafetensorsIn = (folder: Folder, file: string): Promise<Map<string, SafeTensor> | undefined> =>
  withFile(folder, file, async content => {
    const path = folder.pathOf(file)
    const tensors = new Map<string, SafeTensor>()
    const options = { path, wanted: () => true, compare: !folder.isVerified }
    await readTensors(content, await readSafetensorsHeader(content, path), options, (name, tensor) =>
      tensors.set(name, { ...tensor, data: tensor.data.slice() }),
    )
    return tensors
  })

/** A file whose bytes are not those that were written. */
export const damagedError = (path: string): SafetensorsError =>
  new SafetensorsError(`${path} is damaged: its content does not match its checksum.`)

const copiedError = (path: string): SafetensorsError =>
  new SafetensorsError(
    `${path} has its '${checksumField}' elsewhere than Vitral writes it: another program copied the checksum of an older content. Write the file again without that field.`,
  )

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
  putChecksum(pieces)
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
    const start = new Uint8Array(8)
    await file.read(start, 0)
    const shift = -(start[0] as number) & 7 // of the header's length, the lowest byte
    const bytes = new Uint8Array(file.size + shift).subarray(shift)
    await fill(bytes, file, 0, path)
    return bytes
  } finally {
    await file.close()
  }
}

/** Reads as many bytes as there is room for. */
async function fill(bytes: Uint8Array, file: OpenFile, position: number, path: string): Promise<void> {
  for (let filled = 0; filled < bytes.length; ) {
    const count = await file.read(bytes.subarray(filled), position + filled)
    if (count === 0)
      throw new SafetensorsError(
        `${path} was cut off to ${position + filled} of ${file.size} bytes while it was being read.`,
      )
    filled += count
  }
}
