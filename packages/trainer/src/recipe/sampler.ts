/** The samplers as a table: by the name a recipe gives. */

import type { Dataset } from '@vitral/datasets'
import {
  classBalancedSampler,
  repeatedAugmentationSampler,
  type Sampler,
  shuffledSampler,
} from '@vitral/datasets/samplers'
import type { RecipeSampler, SamplerName } from './types.ts'

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

export const samplerNames: readonly SamplerName[] = Object.keys(samplers) as SamplerName[]

/** Which images an epoch has, and in which order. */
export const createSampler = (options: RecipeSampler, dataset: Dataset, seed: number): Sampler =>
  samplers[options.name](dataset, seed, options)
