/**
 * The article's training from scratch: ViT-B/16 at 224×224 on CIFAR-10 alone.
 *
 * Source: the article this library follows; the model is that of "An Image is Worth 16x16 Words" (Dosovitskiy et al., 2020).
 * Expected: the article reports 51.66 % of the test images after 5 epochs; without other data a model of this size
 * learns slowly.
 * Time: 260 PFLOP for its fifty epochs: hours on a large GPU, months on two CPU cores.
 *
 *     vitral train cifar10-scratch --data data --out runs/cifar10-scratch
 */
import { defineRecipe } from '../recipe/recipe.ts'
import type { Recipe } from '../recipe/types.ts'

const recipe: Recipe = defineRecipe({
  model: { name: 'vit-base-patch16-224' },
  dataset: 'cifar10',
  validation: 'test',
  transforms: 'article-from-scratch',
  batchSize: 32,
  evalBatchSize: 32,
  epochs: 50,
  optimizer: { name: 'adam', lr: 1e-5, weightDecay: 1e-3 },
})
export default recipe
