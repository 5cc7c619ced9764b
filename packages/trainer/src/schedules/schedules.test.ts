import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineRecipe } from '../recipe/recipe.ts'
import { recipeScheduler } from '../recipe/schedule.ts'
import type { Recipe, ScheduleName } from '../recipe/types.ts'
import { recipes } from '../recipes/index.ts'
import { createScheduler, type ScheduleOptions } from './index.ts'

describe('createScheduler', () => {
  test('cosine: linear up to lr, half a cosine down to minLr', () => {
    const scheduler = createScheduler('cosine', { lr: 1, totalSteps: 110, warmupSteps: 10, minLr: 0.2 })
    expect([0, 4, 9, 10].map(step => scheduler(step))).toEqual([0.1, 0.5, 1, 1])
    expect(scheduler(60)).toBeCloseTo(0.6, 10)
    expect(scheduler(110)).toBeCloseTo(0.2, 10)
    expect(scheduler(500)).toBeCloseTo(0.2, 10)
  })

  test('constant stays at lr, after a warm-up if there is one', () => {
    const scheduler = createScheduler('constant', { lr: 0.5, totalSteps: 10, warmupSteps: 2 })
    expect([0, 1, 2, 9].map(step => scheduler(step))).toEqual([0.25, 0.5, 0.5, 0.5])
  })

  test('createScheduler gives the rates of its docstring', () => {
    const scheduler = createScheduler('cosine', { lr: 1e-3, totalSteps: 100, warmupSteps: 10 })
    expect(scheduler(0)).toBeCloseTo(1e-4, 12)
    expect(scheduler(10)).toBe(1e-3)
    expect(scheduler(55)).toBeCloseTo(5e-4, 12)
  })

  test('what cannot be is refused by name', () => {
    const make = (name: string, options: object) => () =>
      createScheduler(name as 'cosine', { lr: 1, totalSteps: 10, ...options })
    expect(make('lineal', {})).toThrow("no schedule 'lineal'; expected one of constant, linear, cosine")
    expect(make('cosine', { gamma: 1 })).toThrow("'cosine' has no option 'gamma'; it has none of its own.")
    expect(make('step', {})).toThrow("'step' needs stepSize or milestones, one of them")
    expect(make('step', { stepSize: 0 })).toThrow('stepSize is 0; expected a number above 0')
    expect(make('cosine-restarts', { cycleFactor: 0.5 })).toThrow('cycleFactor is 0.5; expected a number of 1 or more')
    expect(make('plateau', { patience: -1 })).toThrow('patience is -1; expected a number that is 0 or more')
    expect(make('cosine', { warmupSteps: 11 })).toThrow('warm-up has 11 steps; expected 0 to totalSteps, 10')
    expect(make('cosine', { minLr: 2 })).toThrow('minLr is 2; expected 0 to lr, 1')
  })
})

describe("torch's rates", () => {
  const fixture = JSON.parse(readFileSync(join(import.meta.dirname, '../../test/fixtures/schedules.json'), 'utf8'))
  const cases: [string, ScheduleName, Partial<ScheduleOptions>][] = [
    ['cosine', 'cosine', { minLr: 0.01 }],
    ['restarts', 'cosine-restarts', { minLr: 0.01, cycleSteps: 5, cycleFactor: 2 }],
    ['oneCycle', 'one-cycle', {}],
    ['step', 'step', { stepSize: 7, gamma: 0.5 }],
    ['milestones', 'step', { milestones: [3, 20, 21] }],
    ['exponential', 'exponential', { gamma: 0.9 }],
    ['linear', 'linear', { minLr: 0.01 }],
    ['plateau', 'plateau', { factor: 0.5, patience: 2, cooldown: 1, minLr: 0.002 }],
  ]
  test.each(cases)('%s', (key, name, options) => {
    const scheduler = createScheduler(name, { lr: 0.1, totalSteps: 40, ...options })
    const expected = fixture[key] as number[]
    expect(new Set(expected).size).toBeGreaterThan(2)
    for (const [step, rate] of expected.entries())
      expect(Math.abs(scheduler(step, fixture.losses.slice(0, step)) - rate)).toBeLessThan(1e-12)
  })
})

test('a rate may change with the epoch alone, and a recipe counts in epochs', () => {
  const recipe = defineRecipe({
    ...(recipes['cifar10-micro'] as Recipe),
    epochs: 10,
    schedule: { name: 'step', stepEpochs: 4, gamma: 0.5, warmupEpochs: 1, per: 'epoch' },
  })
  const scheduler = recipeScheduler(recipe, 1, 100)
  expect([0, 99].map(step => scheduler(step))).toEqual([0.01, 0.01]) // the warm-up's first step, all of its epoch
  expect([100, 499, 500, 899, 900].map(step => scheduler(step))).toEqual([1, 1, 0.5, 0.5, 0.25])
  const restarts = defineRecipe({ ...recipe, schedule: { name: 'cosine-restarts', cycleEpochs: 2 } })
  const rates = [0, 199, 200, 350].map(step => recipeScheduler(restarts, 1, 100)(step))
  expect(rates[0]).toBe(1)
  expect(rates[1]).toBeLessThan(1e-3)
  expect(rates[2]).toBe(1)
  const exponential = recipeScheduler({ ...recipe, schedule: { name: 'exponential', gamma: 0.5 } }, 1, 100)
  expect(exponential(300)).toBeCloseTo(0.125, 12)
})
