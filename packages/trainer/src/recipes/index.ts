/** The recipes that come with Vitral, by name. */
import type { Recipe } from '../recipe/types.ts'
import cifar10Demo from './cifar10-demo.ts'
import cifar10Finetune from './cifar10-finetune.ts'
import cifar10Gpu from './cifar10-gpu.ts'
import cifar10Micro from './cifar10-micro.ts'
import cifar10Scratch from './cifar10-scratch.ts'

/** The recipes that come with Vitral, by name. */
export const recipes: Record<string, Recipe> = {
  'cifar10-demo': cifar10Demo,
  'cifar10-micro': cifar10Micro,
  'cifar10-gpu': cifar10Gpu,
  'cifar10-finetune': cifar10Finetune,
  'cifar10-scratch': cifar10Scratch,
}
