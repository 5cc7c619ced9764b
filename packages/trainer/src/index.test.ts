import { expect, test } from 'bun:test'
import * as trainer from './index.ts'

test('the root of @vitral/trainer exports the names that programs rely on', () => {
  for (const name of [
    'createOptimizer',
    'createScheduler',
    'GradScaler',
    'Trainer',
    'defineRecipe',
    'clipGradNorm',
    'startRun',
    'recipes',
  ])
    expect(trainer).toHaveProperty(name)
  expect(Object.keys(trainer).length).toBeLessThanOrEqual(45)
})
