/** A tiny ViT for the tests in a browser: with augmentation, dropout, averages and clipping, all that a resumed run must know. */
import { defineRecipe } from '../src/recipe/recipe.ts'
import type { Recipe } from '../src/recipe/types.ts'

export const pageRecipe: Recipe = defineRecipe({
  model: {
    config: {
      ...{ imageSize: 32, patchSize: 16, hiddenSize: 16, numHiddenLayers: 2, numAttentionHeads: 2 },
      ...{ intermediateSize: 32, hiddenDropoutProb: 0.1 },
    },
  },
  dataset: 'cifar10',
  validation: 0.25,
  transforms: 'cifar-32',
  batchSize: 8,
  epochs: 2,
  optimizer: { name: 'adamw', lr: 1e-3, weightDecay: 0.05 },
  schedule: { name: 'cosine', warmupEpochs: 0.5 },
  clipGradNorm: 1,
  ema: { decay: 0.9 },
})
