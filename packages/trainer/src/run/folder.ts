/** The files of a training run's folder, and the recipe it was begun with. */
import { disk, writeFileAtomic } from '@vitral/core/files'
import { readJsonFile } from '../json-file.ts'
import type { Recipe } from '../recipe/types.ts'

/** Paths of what a run's folder holds. */
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

/** The paths in a run's folder. */
export const runPaths = (out: string): RunPaths => ({
  config: disk.join(out, 'recipe.json'),
  metrics: disk.join(out, 'metrics.jsonl'),
  evaluation: disk.join(out, 'evaluation.json'),
  report: disk.join(out, 'report.html'),
  best: disk.join(out, 'best'),
  last: disk.join(out, 'last'),
  adapters: disk.join(out, 'adapters'),
  checkpoints: disk.join(out, 'checkpoints'),
  tensorboard: disk.join(out, 'tensorboard'),
})

/**
 * The paths of a run in a folder, to begin it or to go on with it.
 *
 * @throws when a run is there and is not to be resumed, when there is none to resume, or when its recipe is another; it
 * may have more epochs, but not fewer.
 */
export async function openRun(out: string, recipe: Recipe, { resume }: { resume: boolean }): Promise<RunPaths> {
  const paths = runPaths(out)
  const begun = await disk.exists(paths.config)
  if (begun && !resume)
    throw new Error(`${out} already holds a training run; add --resume to go on with it, or choose another --out.`)
  if (!begun && resume) throw new Error(`${out} holds no training run to resume; leave --resume out to begin one.`)
  if (begun) {
    const { recipe: before } = await readRecord(paths)
    const hasGrown = recipe.epochs > before.epochs && areSame({ ...before, epochs: recipe.epochs }, recipe)
    if (!hasGrown) requireSame(recipe, before, out)
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
  await disk.makeFolder(paths.checkpoints)
  const known = (await disk.exists(paths.config)) ? await readRecord(paths) : undefined
  const before: RunRecord = known ?? { recipe, environment }
  const { resumedIn = [] } = before
  const same = areSame(resumedIn.at(-1) ?? before.environment, environment)
  const { epochs } = before.recipe
  const record: RunRecord = {
    ...before,
    recipe,
    ...(!same && { resumedIn: [...resumedIn, environment] }),
    ...(epochs !== recipe.epochs && { epochsBefore: [...(before.epochsBefore ?? []), epochs] }),
  }
  await writeFileAtomic(paths.config, `${JSON.stringify(record, null, 2)}\n`)
}

/** Removes what processes left that were killed while they wrote. */
export async function clearLeftovers(out: string): Promise<void> {
  const { best, last, adapters, checkpoints } = runPaths(out)
  for (const folder of [out, best, last, adapters, checkpoints])
    if (await disk.exists(folder)) await disk.removeLeftovers(folder)
}

/** What recordRun wrote. @throws naming the file, when it was cut off or changed */
export const readRecord = ({ config }: RunPaths): Promise<RunRecord> =>
  readJsonFile<RunRecord>(config, ({ recipe }) => typeof recipe?.model === 'object')

/** @throws naming the fields in which two recipes differ. */
export function requireSame(recipe: Recipe, begunWith: Recipe, out: string): void {
  const differing = differingFields(recipe, begunWith)
  if (differing.length === 0) return
  const shown = differing.map(({ key, before, now }) => `${key} (${before} → ${now})`)
  throw new Error(`${out} was begun with another recipe, so it cannot be resumed with this one: ${shown.join(', ')}.`)
}

const areSame = (now: object, before: object): boolean => differingFields(now, before).length === 0

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
