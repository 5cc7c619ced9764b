/**
 * A small ViT on CIFAR-10 at its own size, 32×32, made for two CPU cores: patches of 4, 6 layers of 192, 2.7 million
 * parameters.
 *
 * Source: the recipe follows DeiT (Touvron et al., 2021), shortened to five epochs and with the mildest augmentation,
 * since so short a run under-fits: flips and crops only, a high learning rate, a cosine down to nothing.
 * Expected: about 60 % of the test images after 5 epochs (the article's from-scratch run: 51.66 %).
 * Time: 0.26 PFLOP; about half an hour at 150 GFLOP/s.
 *
 *     vitral train cifar10-micro --data data --out runs/cifar10-micro
 */
import { defineRecipe, type Recipe } from '../recipe.ts'

const recipe: Recipe = defineRecipe({
  model: { name: 'vit-tiny-patch4-32', config: { numHiddenLayers: 6 } },
  dataset: 'cifar10',
  transforms: 'cifar-32',
  batchSize: 64,
  epochs: 5,
  optimizer: { name: 'adamw', lr: 1e-3, weightDecay: 0.05 },
  schedule: { name: 'cosine', warmupEpochs: 0.5 },
  labelSmoothing: 0.1,
  clipGradNorm: 1,
})
export default recipe
