/** What a run writes into its folder: checkpoints and models. Among several processes the first alone writes. */
import type { ViTForImageClassification } from '@vitral/core'
import type { Training } from './assemble.ts'
import { saveModels } from './best-model.ts'
import { type CheckpointOptions, isDue, type LoadOptions, loadCheckpoint, saveCheckpoint } from './checkpoint.ts'
import type { RunPaths } from './folder.ts'
import type { RunLock } from './run-lock.ts'
import { type RunPosition, type RunState, startOfRun } from './state.ts'

/** Where a run writes, and how often. */
export interface RunFilesOptions {
  /** Files of the run's folder. */
  paths: RunPaths
  /** How often the state is saved. */
  checkpoints?: CheckpointOptions
  /** Lock of the run's folder; released with the trainer. */
  lock?: RunLock
}

/** The folder of a run, as its trainer writes it. */
export class RunFiles {
  readonly #options: RunFilesOptions
  readonly #writes: boolean
  #saved: Pick<RunPosition, 'step' | 'seconds'> = startOfRun

  /** @param writes whether this process is the one that reads and writes */
  constructor(options: RunFilesOptions, { writes }: { writes: boolean }) {
    this.#options = options
    this.#writes = writes
  }

  /** Folder of the best model. */
  get best(): string {
    return this.#options.paths.best
  }

  /** @throws when another process has taken over the run's folder */
  requireHeld(): void {
    this.#options.lock?.requireHeld()
  }

  /** @returns the position of the newest whole checkpoint, whose state is then loaded; nothing without one */
  async load(state: RunState, options: LoadOptions): Promise<RunPosition | undefined> {
    return this.#writes ? loadCheckpoint(this.#options.paths.checkpoints, state, options) : undefined
  }

  /** Whether it is time for a checkpoint within an epoch. */
  isDue(now: Pick<RunPosition, 'step' | 'seconds'>): boolean {
    return isDue(this.#saved, now, this.#options.checkpoints)
  }

  /** Takes a position as saved, from which the next checkpoint's time counts. */
  countFrom({ step, seconds }: RunPosition): void {
    this.#saved = { step, seconds }
  }

  async save(position: RunPosition, state: RunState): Promise<void> {
    if (!this.#writes) return
    this.requireHeld()
    const { paths, checkpoints } = this.#options
    await saveCheckpoint(paths.checkpoints, position, state, checkpoints)
    this.countFrom(position)
  }

  async saveModels(
    { recipe, model, processor }: Pick<Training, 'recipe' | 'processor'> & { model: ViTForImageClassification },
    which: { isBest: boolean; isLast: boolean },
  ): Promise<void> {
    this.requireHeld()
    if (!this.#writes) return
    await saveModels(this.#options.paths, { model, processor, baseModel: recipe.model.pretrained }, which)
  }

  /** Lets other processes into the run's folder. */
  release(): void {
    this.#options.lock?.release()
  }
}
