import { describe, expect, test } from 'bun:test'
import { createScheduler } from './schedules.ts'

describe('createScheduler', () => {
  test('cosine: linear up to lr, half a cosine down to minLr', () => {
    const scheduler = createScheduler('cosine', { lr: 1, totalSteps: 110, warmupSteps: 10, minLr: 0.2 })
    expect([0, 4, 9, 10].map(scheduler)).toEqual([0.1, 0.5, 1, 1])
    expect(scheduler(60)).toBeCloseTo(0.6, 10)
    expect(scheduler(110)).toBeCloseTo(0.2, 10)
    expect(scheduler(500)).toBeCloseTo(0.2, 10)
  })

  test('constant stays at lr, after a warm-up if there is one', () => {
    const scheduler = createScheduler('constant', { lr: 0.5, totalSteps: 10, warmupSteps: 2 })
    expect([0, 1, 2, 9].map(scheduler)).toEqual([0.25, 0.5, 0.5, 0.5])
  })

  test('is what its docstring says', () => {
    const scheduler = createScheduler('cosine', { lr: 1e-3, totalSteps: 100, warmupSteps: 10 })
    expect(scheduler(0)).toBeCloseTo(1e-4, 12)
    expect(scheduler(10)).toBe(1e-3)
    expect(scheduler(55)).toBeCloseTo(5e-4, 12)
  })

  test('what cannot be is refused by name', () => {
    const make = (name: string, options: object) => () =>
      createScheduler(name as 'cosine', { lr: 1, totalSteps: 10, ...options })
    expect(make('linear', {})).toThrow("no schedule 'linear'; expected one of constant, cosine")
    expect(make('cosine', { warmupSteps: 11 })).toThrow('warm-up has 11 steps; expected 0 to totalSteps, 10')
    expect(make('cosine', { minLr: 2 })).toThrow('minLr is 2; expected 0 to lr, 1')
  })
})
