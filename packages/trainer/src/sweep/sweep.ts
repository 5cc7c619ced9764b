/** A sweep: one recipe trained with one setting after the other, each in a run's folder of its own. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { isBetter } from '../evaluation/choose-best.ts'
import { overrideRecipe } from '../recipe/recipe.ts'
import type { Recipe } from '../recipe/types.ts'
import { runPaths } from '../run/folder.ts'
import { type Run, type RunOptions, startRun } from '../run/start-run.ts'
import { NonFiniteError } from '../step/non-finite.ts'
import type { Settings } from './search.ts'
import { openSweep, readResult, type Trial, type TrialResult, writeResult } from './sweep-folder.ts'

/** Options of sweep. */
export interface SweepOptions extends Omit<RunOptions, 'observers'> {
  /** What is tried, as from `gridSearch` or `randomSearch`; a sweep that is resumed has its own besides. */
  trials: readonly Settings[]
  /** Stops as it does a run: the trial under way saves its state. */
  signal?: AbortSignal
  /** Called for each trial that is about to be trained, the first being 1; may observe it. */
  onTrial?: (trial: Trial, place: { number: number; count: number; run: Run; recipe: Recipe }) => void
}

/** A trial of a sweep and what it came to. */
export interface SweptTrial extends Trial {
  /** Its run's folder. */
  out: string
  /** 'failed' ones are tried again when the sweep is resumed. */
  status: TrialResult['status'] | 'failed' | 'stopped' | 'waiting'
  /** Time that training took. */
  seconds?: number
  /** The best evaluation. */
  best?: TrialResult['best']
  /** The test of the best model, where the data has test images. */
  test?: TrialResult['test']
  /** Why the trial failed. */
  error?: string
}

/** What a sweep came to. */
export interface SweepResult {
  /** False when the signal stopped it. */
  finished: boolean
  /** The best on validation images first, as a run chooses its best model; those without an evaluation last. */
  trials: SweptTrial[]
}

/**
 * Trains all trials. One that diverges is a result; one that fails otherwise does not keep the others from being tried.
 *
 * @throws before anything is written: naming a setting that the recipe refuses; when the folder cannot be used.
 * @example
 * const trials = gridSearch(['optimizer.lr=1e-3,3e-4', 'batchSize=32,64'])
 * const { trials: [best] } = await sweep({ recipe: recipes['cifar10-micro'], trials, data: 'data', out: 'runs/sweep' })
 * best.settings // ['optimizer.lr=0.001', 'batchSize=32']
 */
export async function sweep(options: SweepOptions): Promise<SweepResult> {
  const { recipe, out, resume = false, signal } = options
  for (const settings of options.trials) overrideRecipe(recipe, settings)
  const trials = await openSweep(out, { recipe, trials: options.trials, resume })
  const swept: SweptTrial[] = []
  for (const [i, trial] of trials.entries()) {
    const folder = join(out, trial.name)
    const done = await readResult(folder)
    if (done) swept.push({ ...trial, out: folder, ...done })
    else if (signal?.aborted) swept.push({ ...trial, out: folder, status: 'waiting' })
    else swept.push(await runTrial(trial, { ...options, out: folder }, { number: i + 1, count: trials.length }))
  }
  swept.sort((a, b) => Number(isBefore(b, a)) - Number(isBefore(a, b)))
  return { finished: !swept.some(({ status }) => status === 'stopped' || status === 'waiting'), trials: swept }
}

const isBefore = ({ best }: SweptTrial, other: SweptTrial): boolean => best !== undefined && isBetter(best, other.best)

async function runTrial(
  trial: Trial,
  options: SweepOptions,
  place: { number: number; count: number },
): Promise<SweptTrial> {
  const { out, signal, onTrial } = options
  let run: Run | undefined
  try {
    const recipe = overrideRecipe(options.recipe, trial.settings)
    run = await startRun({ ...options, recipe, resume: existsSync(runPaths(out).config) })
    onTrial?.(trial, { ...place, run, recipe })
    const { finished, seconds, best, test } = await run.trainer.train(signal)
    if (!finished) return { ...trial, out, status: 'stopped', seconds, best }
    return await keep(trial, out, { status: 'finished', seconds, best, test })
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    if (error instanceof NonFiniteError)
      return await keep(trial, out, { status: 'diverged', best: run?.trainer.position.best, error: message })
    return { ...trial, out, status: 'failed', error: message }
  } finally {
    await run?.trainer.close()
    run?.model.dispose()
  }
}

async function keep(trial: Trial, out: string, result: TrialResult): Promise<SweptTrial> {
  await writeResult(out, result)
  return { ...trial, out, ...result }
}
