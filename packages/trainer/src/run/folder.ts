/** The files of a training run's folder, and the recipe it was begun with. */
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { disk, writeError, writeFileAtomic } from '@vitral/core/files'
import { readJsonFile } from '../json-file.ts'
import type { Recipe } from '../recipe/types.ts'

export interface RunPaths {
  /** The resolved recipe and the versions it ran with. */
  config: string
  /** One JSON object a line: each step, and each epoch's evaluation. */
  metrics: string
  /** All that the evaluation of the best model found. */
  evaluation: string
  /** The page about the run. */
  report: string
  /** Model folder of the best evaluation so far. */
  best: string
  /** Model folder of the last epoch. */
  last: string
  /** Adapters of the best model alone, in PEFT's files, where a run trains some. */
  adapters: string
  /** What `--resume` needs. */
  checkpoints: string
  /** Event files for TensorBoard, when they are wanted. */
  tensorboard: string
}

export const runPaths = (out: string): RunPaths => ({
  config: join(out, 'recipe.json'),
  metrics: join(out, 'metrics.jsonl'),
  evaluation: join(out, 'evaluation.json'),
  report: join(out, 'report.html'),
  best: join(out, 'best'),
  last: join(out, 'last'),
  adapters: join(out, 'adapters'),
  checkpoints: join(out, 'checkpoints'),
  tensorboard: join(out, 'tensorboard'),
})

/**
 * The paths of a run in a folder, to begin it or to go on with it.
 *
 * @throws when a run is there and is not to be resumed, when there is none to resume, or when its recipe is another; it
 * may have more epochs, but not fewer.
 */
export function openRun(out: string, recipe: Recipe, { resume }: { resume: boolean }): RunPaths {
  const paths = runPaths(out)
  const begun = existsSync(paths.config)
  if (begun && !resume)
    throw new Error(`${out} already holds a training run; add --resume to go on with it, or choose another --out.`)
  if (!begun && resume) throw new Error(`${out} holds no training run to resume; leave --resume out to begin one.`)
  if (begun) {
    const before = readRecord(paths).recipe
    const mayGrow =
      recipe.epochs > before.epochs && isDeepStrictEqual({ ...before, epochs: recipe.epochs }, asJson(recipe))
    if (!mayGrow) requireSame(recipe, before, out)
  }
  return paths
}

export interface RunRecord {
  recipe: Recipe
  environment: object
  /** Those in which the run went on, where they are not that before. */
  resumedIn?: object[]
  /** Epochs that the recipe had before it was given more. */
  epochsBefore?: number[]
}

/**
 * Writes the recipe into the run's folder, with the versions of what computes it; from now on the run can be resumed. The
 * record of a run that is resumed is kept; an environment that is another is added, and the epochs before it got more.
 */
export async function recordRun(paths: RunPaths, recipe: Recipe, environment: object): Promise<void> {
  try {
    mkdirSync(paths.checkpoints, { recursive: true })
  } catch (error) {
    throw writeError(error, { path: paths.checkpoints, bytes: 0 })
  }
  const before = existsSync(paths.config) ? readRecord(paths) : { recipe, environment }
  const { resumedIn = [] } = before
  const now = asJson(environment)
  const same = !existsSync(paths.config) || isDeepStrictEqual(resumedIn.at(-1) ?? before.environment, now)
  const { epochs } = before.recipe
  const record: RunRecord = {
    ...before,
    recipe,
    ...(!same && { resumedIn: [...resumedIn, now] }),
    ...(epochs !== recipe.epochs && { epochsBefore: [...(before.epochsBefore ?? []), epochs] }),
  }
  await writeFileAtomic(paths.config, `${JSON.stringify(record, null, 2)}\n`)
}

const asJson = (value: object): object => JSON.parse(JSON.stringify(value)) as object

/** Removes what processes left that were killed while they wrote. */
export async function clearLeftovers(out: string): Promise<void> {
  const { best, last, adapters, checkpoints } = runPaths(out)
  for (const folder of [out, best, last, adapters, checkpoints])
    if (existsSync(folder)) await disk.removeLeftovers(folder)
}

/** What recordRun wrote. @throws naming the file, when it was cut off or changed */
export const readRecord = ({ config }: RunPaths): RunRecord =>
  readJsonFile<RunRecord>(config, ({ recipe }) => typeof recipe?.model === 'object')

/** @throws naming the fields in which two recipes differ. */
export function requireSame(recipe: Recipe, begunWith: Recipe, out: string): void {
  const differing = differingFields(recipe, begunWith)
  if (differing.length === 0) return
  const shown = differing.map(({ key, before, now }) => `${key} (${before} → ${now})`)
  throw new Error(`${out} was begun with another recipe, so it cannot be resumed with this one: ${shown.join(', ')}.`)
}

/** The first five fields in which two objects differ, by dotted key, with their values as JSON. */
export function differingFields(now: object, before: object): { key: string; before: string; now: string }[] {
  const [fieldsNow, fieldsBefore] = [flatten(now), flatten(before)]
  return [...new Set([...fieldsNow.keys(), ...fieldsBefore.keys()])]
    .filter(key => fieldsNow.get(key) !== fieldsBefore.get(key))
    .slice(0, 5)
    .map(key => ({ key, before: fieldsBefore.get(key) ?? 'absent', now: fieldsNow.get(key) ?? 'absent' }))
}

/** Leaves by dotted key, as JSON. */
function flatten(value: unknown, key = ''): Map<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return new Map([[key, JSON.stringify(value)]])
  return new Map(
    Object.entries(value).flatMap(([name, field]) =>
      field === undefined ? [] : [...flatten(field, key ? `${key}.${name}` : name)],
    ),
  )
}
