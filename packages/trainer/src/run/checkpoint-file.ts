/**
 * One checkpoint on disk: a safetensors file of the position, and of each section's tensors and values.
 *
 * It carries the checksum that `writeSafetensors` gives every file, over each of its bytes, the header with the position
 * too, and one that does not match it, or has none, is no checkpoint to go on from.
 */
import { readSafetensors, type SafeTensor, SafetensorsError, toFloat32, writeSafetensors } from '@vitral/core/files'
import type { RunPosition, SectionState, SectionTensors } from './state.ts'

/** What a checkpoint holds. */
export interface Checkpoint {
  /** Where the run was. */
  position: RunPosition
  /** State of each part, by its name. */
  sections: Record<string, SectionState>
}

/** A checkpoint of which not every byte is what was written. */
export class DamagedCheckpointError extends Error {
  /** Name of the error's class. */
  override readonly name = 'DamagedCheckpointError'
}

/** Version of what the metadata and the names of the tensors mean; files of version 1 had a checksum of another kind. */
const version = '2'

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
  await writeSafetensors(path, entries, { version, position: JSON.stringify(position), ...values })
}

/**
 * Reads a checkpoint whose every byte is what was written.
 *
 * @throws DamagedCheckpointError, or an Error when another version wrote it; both name the file
 */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  const { tensors, metadata, checked } = await readWhole(path)
  const { version: written, position, ...values } = metadata
  if (written !== version || position === undefined)
    throw new Error(`${path} is of version ${written} of the format; expected ${version}. Go on with what wrote it.`)
  if (!checked) throw new DamagedCheckpointError(`${path} is damaged: it has lost its checksum.`)
  const names = new Set([...Object.keys(values), ...[...tensors.keys()].map(key => key.split('.', 1)[0] as string)])
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

/** Reads a checkpoint's file, of which a malformed header is damage too. */
async function readWhole(path: string): ReturnType<typeof readSafetensors> {
  try {
    return await readSafetensors(path)
  } catch (cause) {
    if (cause instanceof SafetensorsError)
      throw new DamagedCheckpointError(`${path} is damaged: its content does not match its checksum.`, { cause })
    if ((cause as { code?: string }).code === 'EIO')
      throw new DamagedCheckpointError(`${path} cannot be read: the disk fails.`, { cause })
    throw cause
  }
}
