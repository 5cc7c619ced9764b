/** The first part of two hours: a ViT of 2.7 million parameters, from scratch, with crops and flips. */
import { defineRecipe } from '@vitral/trainer'

export default defineRecipe({
  model: {
    config: {
      hiddenSize: 192,
      numHiddenLayers: 6,
      numAttentionHeads: 6,
      mlpRatio: 4,
      imageSize: 32,
      patchSize: 4,
      initializerRange: 0.07,
    },
    init: 'mimetic',
  },
  dataset: 'cifar10',
  validation: 0.04,
  transforms: 'cifar-32',
  batchSize: 64,
  epochs: 30,
  optimizer: { name: 'adamw', lr: 1e-3, weightDecay: 0.05 },
  schedule: { name: 'cosine', warmupEpochs: 1 },
  loss: { name: 'cross-entropy', labelSmoothing: 0.1 },
  clipGradNorm: 1,
  precision: 'bfloat16',
})
