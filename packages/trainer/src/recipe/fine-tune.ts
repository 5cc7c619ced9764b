/** Ways to fine-tune: which parameters of a model train. */
import type { LoraConfig, ViTForImageClassification } from '@vitral/core'

/**
 * The whole model; the head alone; the last so many layers with the final norm and the head; or low-rank adapters with
 * the head, as PEFT's LoraConfig, which are merged when the model is saved.
 */
export type FineTune = 'all' | 'head' | { lastLayers: number } | { lora: Partial<LoraConfig> }

/**
 * Sets what trains.
 *
 * @param seed of the adapters' initial values
 * @throws when the model has no such part
 */
export function applyFineTune(model: ViTForImageClassification, fineTune: FineTune, seed: number): void {
  try {
    if (typeof fineTune === 'object' && 'lora' in fineTune) model.addAdapters({ ...fineTune.lora, seed })
    else model.setTrainable(fineTune)
  } catch (error) {
    throw new Error(`The recipe's fineTune does not fit the model. ${(error as Error).message}`)
  }
}
