/** The best model of a run in every process, though the first alone has the run's folder. */
import { AutoModelForImageClassification, ViTForImageClassification } from '@vitral/core'
import type { Collectives } from '../ddp/collectives.ts'
import { broadcastParameters } from './broadcast-state.ts'

/**
 * @param folder of the best model, which the first process reads
 * @param trained the model that was trained; that of the folder has its configuration, its adapters merged and its
 *   `qkScale` within the queries' weights
 * @returns the caller's to dispose
 */
export async function bestModelOf(
  collectives: Collectives,
  folder: string,
  trained: ViTForImageClassification,
): Promise<ViTForImageClassification> {
  if (collectives.worldSize === 1) return AutoModelForImageClassification.fromPretrained(folder)
  const useMaskToken = [...trained.parameters().keys()].some(name => name.endsWith('mask_token'))
  const model =
    collectives.rank === 0
      ? await AutoModelForImageClassification.fromPretrained(folder)
      : new ViTForImageClassification({ ...trained.config, qkScale: null }, { useMaskToken })
  await broadcastParameters(collectives, model.parameters())
  return model
}
