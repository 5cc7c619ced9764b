/**
 * One checkpoint on disk: a safetensors file whose last 32 bytes are the SHA-256 of all before them.
 *
 * The digest is a tensor of its own, so that any reader opens the file, and it comes last, since the format's writers
 * put the narrowest elements last and all others are float32. So it covers every other byte, the header with the position
 * too, and `head -c -32 FILE | sha256sum` computes it. A file beside it could be lost, or be of another checkpoint.
 */
import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { readSafetensors, type SafeTensor, serializeSafetensors, toFloat32, writeFileAside } from '@vitral/core'
import type { RunPosition, SectionState, SectionTensors } from './run-state.ts'

/** What a checkpoint holds. */
export interface Checkpoint {
  position: RunPosition
  sections: Record<string, SectionState>
}

/** A checkpoint of which not every byte is what was written. */
export class DamagedCheckpointError extends Error {
  override readonly name = 'DamagedCheckpointError'
}

/** Of what the metadata and the names of the tensors mean. */
const version = '1'
const digestName = 'sha256'
const digestBytes = 32

/**
 * Writes a checkpoint aside, flushes it, and renames it into place: it is there as a whole or not at all.
 *
 * @throws WriteError when there is no room or no permission
 */
export async function writeCheckpoint(path: string, { position, sections }: Checkpoint): Promise<void> {
  const entries = new Map<string, SafeTensor>()
  const values: Record<string, string> = {}
  for (const [section, state] of Object.entries(sections)) {
    for (const [name, { shape, data }] of state.tensors ?? [])
      entries.set(`${section}.${name}`, { dtype: 'F32', shape, data })
    if (state.values !== undefined) values[section] = JSON.stringify(state.values)
  }
  const digest = new Uint8Array(digestBytes)
  entries.set(digestName, { dtype: 'U8', shape: [digestBytes], data: digest })
  const pieces = serializeSafetensors(entries, { version, position: JSON.stringify(position), ...values })
  const hash = createHash('sha256')
  for (const piece of pieces.slice(0, -1)) hash.update(piece)
  digest.set(hash.digest()) // the last of the pieces is this array's memory
  await writeFileAside(path, pieces)
}

/**
 * Reads a checkpoint whose every byte is what was written.
 *
 * @throws DamagedCheckpointError, or an Error when another version wrote it; both name the file
 */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  await checkDigest(path)
  const { tensors, metadata } = await readSafetensors(path)
  const { version: written, position, ...values } = metadata
  if (written !== version || position === undefined)
    throw new Error(`${path} is of version ${written} of the format; expected ${version}. Go on with what wrote it.`)
  const names = new Set([...Object.keys(values), ...[...tensors.keys()].map(key => key.split('.', 1)[0] as string)])
  names.delete(digestName)
  const sections = [...names].map(name => [name, sectionOf(name, tensors, values[name])] as const)
  return { position: JSON.parse(position) as RunPosition, sections: Object.fromEntries(sections) }
}

function sectionOf(section: string, tensors: ReadonlyMap<string, SafeTensor>, values?: string): SectionState {
  const own: SectionTensors = new Map()
  for (const [key, saved] of tensors)
    if (key.startsWith(`${section}.`))
      own.set(key.slice(section.length + 1), { shape: saved.shape, data: toFloat32(saved) })
  return { tensors: own, values: values === undefined ? undefined : JSON.parse(values) }
}

/** In pieces: a file can be larger than memory allows twice. */
async function checkDigest(path: string): Promise<void> {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    if (size <= digestBytes) throw new DamagedCheckpointError(`${path} is damaged: it has ${size} bytes.`)
    const hash = createHash('sha256')
    const buffer = new Uint8Array(2 ** 20)
    const end = size - digestBytes
    for (let position = 0; position < end; ) {
      const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, end - position), position)
      if (bytesRead === 0) throw new DamagedCheckpointError(`${path} was cut off while it was being read.`)
      hash.update(buffer.subarray(0, bytesRead))
      position += bytesRead
    }
    await file.read(buffer, 0, digestBytes, end)
    if (hash.digest().compare(buffer, 0, digestBytes) !== 0)
      throw new DamagedCheckpointError(`${path} is damaged: its content does not match its checksum.`)
  } catch (error) {
    if ((error as { code?: string }).code === 'EIO')
      throw new DamagedCheckpointError(`${path} cannot be read: the disk fails.`, { cause: error })
    throw error
  } finally {
    await file.close()
  }
}
