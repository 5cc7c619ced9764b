/** The folders of a run's models, the best and the last: a reader, or the next run after a kill, finds the one before or the new one. */
import type { ViTForImageClassification } from '@vitral/core'
import { disk } from '@vitral/core/files'
import type { RunPaths } from './folder.ts'

export interface BestModel {
  model: ViTForImageClassification
  /** What prepares an image as the evaluation did. */
  processor: { savePretrained(folder: string): Promise<void> }
  /** What the model's adapters are for, if it has some: a folder or a hub id. */
  baseModel?: string
}

/**
 * Replaces the model of a run's `best`, and of a model with adapters those of `adapters`.
 *
 * @throws WriteError when there is no room or no permission; the model before is then still there
 */
export async function saveBestModel(
  { best, adapters }: Pick<RunPaths, 'best' | 'adapters'>,
  { model, processor, baseModel }: BestModel,
): Promise<void> {
  await saveModel(best, { model, processor })
  if (model.adapters) await replaceFolder(adapters, folder => model.saveAdapters(folder, { baseModel }))
}

/** Replaces the models of a run's folder that an evaluation changes; throws as `saveBestModel`. */
export async function saveModels(
  paths: Pick<RunPaths, 'best' | 'last' | 'adapters'>,
  evaluated: BestModel,
  { isBest, isLast }: { isBest: boolean; isLast: boolean },
): Promise<void> {
  if (isBest) await saveBestModel(paths, evaluated)
  if (isLast) await saveModel(paths.last, evaluated)
}

const saveModel = (path: string, { model, processor }: BestModel): Promise<void> =>
  replaceFolder(path, async folder => {
    await processor.savePretrained(folder)
    // One file of weights however large they are: several cannot be exchanged at once. Its config.json is written last.
    await model.savePretrained(folder, { maxShardBytes: Number.POSITIVE_INFINITY })
  })

/**
 * The first content comes as a whole. From then on only the weights differ, since all else is the recipe's; they are one
 * file, which is exchanged. A folder cannot be exchanged for another in one step, so between two renames there would be
 * none.
 */
const replaceFolder = async (folder: string, save: (folder: string) => Promise<void>): Promise<void> =>
  (await disk.exists(folder)) ? save(folder) : disk.createFolder(folder, save)
