/** The samplers as a table: by the name a recipe gives. */

import type { Dataset } from '@vitral/datasets'
import {
  classBalancedSampler,
  repeatedAugmentationSampler,
  type Sampler,
  shuffledSampler,
} from '@vitral/datasets/samplers'

export type SamplerName = 'shuffled' | 'class-balanced' | 'repeated-augmentation'

export interface RecipeSampler {
  /**
   * 'shuffled': every image once. 'class-balanced': as many images, drawn from all classes alike.
   * 'repeated-augmentation': as many images, but each several times, augmented apart (DeiT's).
   */
  name: SamplerName
  /** How often 'repeated-augmentation' repeats an image. @default 3 */
  numRepeats?: number
}

const samplers: Record<SamplerName, (dataset: Dataset, seed: number, options: RecipeSampler) => Sampler> = {
  shuffled: (dataset, seed) => shuffledSampler(dataset.length, seed),
  'class-balanced': ({ labels, multiLabel }, seed) => {
    if (multiLabel)
      throw new Error('Images of several classes cannot be balanced by class; expected the sampler shuffled.')
    if (!labels) throw new Error('The data set does not say its labels; expected the sampler shuffled.')
    return classBalancedSampler(labels, { seed })
  },
  'repeated-augmentation': ({ length }, seed, { numRepeats }) =>
    repeatedAugmentationSampler(length, { numRepeats, seed, selectedRound: Math.min(256, length) }),
}

export const samplerNames: readonly string[] = Object.keys(samplers)

/** Which images an epoch has, and in which order. */
export const createSampler = (options: RecipeSampler, dataset: Dataset, seed: number): Sampler =>
  samplers[options.name](dataset, seed, options)
