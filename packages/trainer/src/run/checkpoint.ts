/** The checkpoints of a run: how many are kept, and which one it goes on from. */
import { disk, WriteError } from '@vitral/core/files'
import { DamagedCheckpointError, readCheckpoint, writeCheckpoint } from './checkpoint-file.ts'
import { type RunPosition, type RunState, type SectionState, sectionsOf, startOfRun } from './state.ts'

/** How often a run saves its state, and how many checkpoints stay. */
export interface CheckpointOptions {
  /** Checkpoints to keep: should the newest be damaged, the one before is used. @default 2 */
  keep?: number
  /** Also within an epoch, when so much is trained since the last. @default { minutes: 10 } */
  every?: { steps: number } | { minutes: number }
}

/** What is saved unless a run says otherwise. */
export const checkpointDefaults = { keep: 2, every: { minutes: 10 } } as const

/**
 * Saves the state of a run as the newest checkpoint in the folder, and then removes those that are not to be kept: also
 * newer ones, of a part of the run that is done again since they are damaged.
 *
 * @throws WriteError when it cannot be written, saying what the run can go on from; those before it stay
 */
export async function saveCheckpoint(
  folder: string,
  position: RunPosition,
  state: RunState,
  { keep = checkpointDefaults.keep }: Pick<CheckpointOptions, 'keep'> = {},
): Promise<void> {
  const name = nameOf(position.step)
  const sections: Record<string, SectionState> = {}
  for (const [key, section] of Object.entries(sectionsOf(state))) sections[key] = await section.state()
  try {
    await writeCheckpoint(disk.join(folder, name), { position, sections })
  } catch (error) {
    throw error instanceof WriteError ? withWayOut(error, (await newestFirst(folder))[0]) : error
  }
  const all = await newestFirst(folder)
  const kept = all.filter(other => other <= name).slice(0, keep)
  for (const other of all) if (!kept.includes(other)) await disk.remove(disk.join(folder, other))
}

/** Whether it is time for a checkpoint within an epoch. */
export function isDue(
  saved: Pick<RunPosition, 'step' | 'seconds'>,
  now: Pick<RunPosition, 'step' | 'seconds'>,
  { every = checkpointDefaults.every }: CheckpointOptions = {},
): boolean {
  return 'steps' in every ? now.step - saved.step >= every.steps : now.seconds - saved.seconds >= every.minutes * 60
}

/** Options of loadCheckpoint. */
export interface LoadOptions {
  /** Called with the reason for damaged checkpoints that are skipped. @default console.warn */
  onDamaged?: (reason: string) => void
}

/**
 * Puts the newest whole checkpoint of the folder into the state of a run.
 *
 * @returns its position; nothing when there is no checkpoint yet.
 * @throws naming the file, when it does not belong to this run; and when there are checkpoints, all damaged.
 */
export async function loadCheckpoint(
  folder: string,
  state: RunState,
  { onDamaged = console.warn }: LoadOptions = {},
): Promise<RunPosition | undefined> {
  const damaged: string[] = []
  for (const name of await newestFirst(folder)) {
    const path = disk.join(folder, name)
    const checkpoint = await readCheckpoint(path).catch((error: unknown) => {
      if (!(error instanceof DamagedCheckpointError)) throw error
      damaged.push(error.message)
    })
    if (!checkpoint) continue
    if (damaged.length > 0) onDamaged(`${damaged.join(' ')} Resuming from the one before it, ${name}.`)
    try {
      for (const [key, section] of Object.entries(sectionsOf(state)))
        section.load({ tensors: new Map(), values: undefined, ...checkpoint.sections[key] })
    } catch (error) {
      throw new Error(`${path} does not belong to this run: ${(error as Error).message}`, { cause: error })
    }
    return { ...startOfRun, ...checkpoint.position }
  }
  if (damaged.length > 0)
    throw new Error(`${damaged.join(' ')} No checkpoint is whole, so the run must begin anew, in another folder.`)
  return undefined
}

const nameOf = (step: number): string => `step-${String(step).padStart(9, '0')}.safetensors`

const newestFirst = async (folder: string): Promise<string[]> =>
  (await disk.list(folder))
    .filter(name => /^step-\d{9}\.safetensors$/.test(name))
    .sort()
    .reverse()

const withWayOut = ({ message, path, code, cause }: WriteError, newest: string | undefined): WriteError => {
  const wayOut = newest ? `; the run can be resumed from ${newest}` : ''
  return new WriteError(`${message.replace(/\.$/, '')}${wayOut}.`, { path, code, cause })
}
