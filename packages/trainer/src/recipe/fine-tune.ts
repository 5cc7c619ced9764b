/** Ways to fine-tune: which parameters of a model train. */
import type { ViTForImageClassification } from '@vitral/core'
import type { FineTune } from './types.ts'

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
