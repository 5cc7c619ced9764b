/** The first half of a transfer: a small ViT learns CIFAR-10's six animals. */
import { defineRecipe, type Recipe, recipes } from '@vitral/trainer'

export default defineRecipe({
  ...(recipes['cifar10-micro'] as Recipe),
  classes: ['bird', 'cat', 'deer', 'dog', 'frog', 'horse'],
  epochs: 5,
  precision: 'bfloat16',
})
