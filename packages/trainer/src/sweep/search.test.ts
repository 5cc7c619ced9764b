import { describe, expect, test } from 'bun:test'
import { gridSearch, randomSearch } from './search.ts'

describe('gridSearch', () => {
  test('gridSearch has every combination', () => {
    expect(gridSearch(['optimizer.lr=1e-3, 3e-4', 'batchSize=32,64'])).toEqual([
      ['optimizer.lr=0.001', 'batchSize=32'],
      ['optimizer.lr=0.001', 'batchSize=64'],
      ['optimizer.lr=0.0003', 'batchSize=32'],
      ['optimizer.lr=0.0003', 'batchSize=64'],
    ])
  })

  test('gridSearch takes names, and JSON with commas of its own', () => {
    expect(gridSearch(['schedule.name=constant,cosine'])).toEqual([
      ['schedule.name=constant'],
      ['schedule.name=cosine'],
    ])
    expect(gridSearch(['optimizer.betas=[0.9,0.95],[0.9,0.999]', 'clipGradNorm=null'])).toEqual([
      ['optimizer.betas=[0.9,0.95]', 'clipGradNorm=null'],
      ['optimizer.betas=[0.9,0.999]', 'clipGradNorm=null'],
    ])
  })

  test.each(['epochs', '=3', 'epochs=', 'epochs=,'])('refuses %p', field => {
    expect(() => gridSearch([field])).toThrow(`${field}: expected`)
  })
})

describe('randomSearch', () => {
  const ranges = ['optimizer.lr=log:1e-4..1e-2', 'dropPath=0..0.2', 'layers=int:2..4', 'batchSize=32,64', 'name=a,b']
  const trials = randomSearch(ranges, { count: 400, seed: 1 })
  const drawn = (i: number) => trials.map(settings => (settings[i] as string).split('=')[1] as string)

  test('draws from each range evenly', () => {
    const rates = drawn(0).map(Number)
    for (const rate of rates) expect(rate).toBeWithin(1e-4, 1e-2)
    expect(rates.filter(rate => rate < 1e-3).length).toBeWithin(160, 240)
    expect(drawn(1).filter(value => Number(value) < 0.1).length).toBeWithin(160, 240)
    for (const value of ['2', '3', '4']) expect(drawn(2).filter(drawn => drawn === value).length).toBeWithin(100, 170)
    for (const value of ['32', '64']) expect(drawn(3).filter(drawn => drawn === value).length).toBeWithin(160, 240)
    expect(new Set(drawn(4))).toEqual(new Set(['a', 'b']))
    for (const rate of drawn(0)) expect(String(Number(Number(rate).toPrecision(4)))).toBe(rate)
  })

  test('draws the same again, whatever the count; and others from another seed', () => {
    expect(randomSearch(ranges, { count: 3, seed: 1 })).toEqual(trials.slice(0, 3))
    expect(randomSearch(ranges, { count: 3, seed: 2 })).not.toEqual(trials.slice(0, 3))
  })

  test.each(['lr=log:0..1', 'lr=2..1', 'n=int:1.5..3', 'lr=log:3', 'lr=', 'lr=a..b'])('refuses %p', range => {
    expect(() => randomSearch([range], { count: 1, seed: 1 })).toThrow(`${range}: expected a range such as`)
  })
})
