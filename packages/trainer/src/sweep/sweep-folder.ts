/** The files of a sweep: its trials by number, and of each that is done its result. */
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileAtomic } from '@vitral/core/files'
import { readJsonFile } from '../json-file.ts'
import type { Recipe } from '../recipe/types.ts'
import type { TrainingResult } from '../run/events.ts'
import { requireSame } from '../run/folder.ts'
import type { Settings } from './search.ts'

/** A trial of a sweep. */
export interface Trial {
  /** Such as trial-001: its folder in the sweep's. */
  name: string
  /** Settings of the recipe's fields. */
  settings: Settings
}

/** What is kept of a trial that need not be done again. */
export interface TrialResult {
  /** How the trial ended. */
  status: 'finished' | 'diverged'
  /** Time that training took. */
  seconds?: number
  /** The best evaluation. */
  best?: TrainingResult['best']
  /** Test of the best model on images that did not choose it, where there are some. */
  test?: TrainingResult['test']
  /** Why it diverged. */
  error?: string
}

interface SweepFile {
  /** What the settings are set in. */
  recipe: Recipe
  trials: Trial[]
}

/**
 * The trials of a sweep, to begin it or to go on with it: those it was begun with, and after them those that are new.
 *
 * @throws when a sweep is there and is not to be resumed, when there is none to resume, or when its recipe is another.
 */
export async function openSweep(
  out: string,
  { recipe, trials, resume }: { recipe: Recipe; trials: readonly Settings[]; resume: boolean },
): Promise<Trial[]> {
  const path = join(out, 'sweep.json')
  const begun = existsSync(path)
    ? await readJsonFile<SweepFile>(path, ({ recipe, trials }) => typeof recipe === 'object' && Array.isArray(trials))
    : undefined
  if (begun && !resume)
    throw new Error(`${out} already holds a sweep; add --resume to go on with it, or choose another --out.`)
  if (!begun && resume) throw new Error(`${out} holds no sweep to resume; leave --resume out to begin one.`)
  if (begun) requireSame(recipe, begun.recipe, out)
  const all = [...new Set([...(begun?.trials.map(({ settings }) => settings) ?? []), ...trials].map(toText))]
  const named = all.map((settings, i) => ({ name: trialName(i), settings: JSON.parse(settings) as string[] }))
  mkdirSync(out, { recursive: true })
  await writeFileAtomic(path, `${JSON.stringify({ recipe, trials: named } satisfies SweepFile, null, 2)}\n`)
  return named
}

/** @returns nothing when the trial is not done yet. */
export async function readResult(folder: string): Promise<TrialResult | undefined> {
  const path = join(folder, 'result.json')
  return existsSync(path) ? readJsonFile<TrialResult>(path) : undefined
}

export async function writeResult(folder: string, result: TrialResult): Promise<void> {
  await writeFileAtomic(join(folder, 'result.json'), `${JSON.stringify(result, null, 2)}\n`)
}

const toText = (settings: Settings): string => JSON.stringify(settings)

const trialName = (index: number): string => `trial-${String(index + 1).padStart(3, '0')}`
