/** The folder of the best model so far: a reader, or the next run after a kill, finds the one before or the new one. */
import { existsSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { flushFolder } from '@vitral/core'

interface Part {
  savePretrained(folder: string): Promise<void>
}

/** The weights are one file however large they are: several cannot be exchanged at once. */
interface Model {
  savePretrained(folder: string, options: { maxShardBytes: number }): Promise<void>
}

/**
 * Replaces the folder's model.
 *
 * The first is written beside the folder and renamed as a whole. From then on only the weights differ, since the
 * configuration and the processor are the recipe's; they are one file, which is exchanged by renaming. A folder cannot be
 * exchanged for another in one step, so between two renames there would be none.
 *
 * @throws WriteError when there is no room or no permission; the model before is then still there
 */
export async function saveBestModel(folder: string, model: Model, processor: Part): Promise<void> {
  const save = async (into: string) => {
    await model.savePretrained(into, { maxShardBytes: Number.POSITIVE_INFINITY })
    await processor.savePretrained(into)
  }
  if (existsSync(folder)) return save(folder)
  const aside = `${folder}.${crypto.randomUUID()}.tmp`
  await mkdir(aside)
  try {
    await save(aside)
    await rename(aside, folder)
  } catch (error) {
    await rm(aside, { recursive: true, force: true })
    throw error
  }
  await flushFolder(dirname(folder))
}
