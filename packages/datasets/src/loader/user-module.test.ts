/** Data sets and transforms that a user wrote, in workers: imported there, and the same as here. */
import { expect, test } from 'bun:test'
import { errorOf, load } from '../../test/load.ts'
import stripes, { brighten, halve } from '../../test/user-module.ts'
import { subset } from '../datasets/subset.ts'
import * as transforms from '../transforms/index.ts'
import type { Dataset } from '../types.ts'
import { createLoader } from './loader.ts'

const { compose, randomHorizontalFlip, toTensor } = transforms
const module = new URL('../../test/user-module.ts', import.meta.url).href
const options = {
  transforms: [compose([brighten(9), randomHorizontalFlip()]), brighten(1), toTensor()],
  batchTransforms: [halve()],
  ...{ batchSize: 3, shuffle: true, seed: 2 },
}

test('batches of a module’s data set are the same from workers, a subset too', async () => {
  for (const dataset of [stripes({ count: 10 }), subset(stripes({ count: 30 }), [7, 3, 3, 20])])
    expect(await load(dataset, { ...options, workers: 2 })).toEqual(await load(dataset, options))
})

test('a plan does not depend on where the module lies', async () => {
  const dataset = stripes({ count: 10 })
  const state = createLoader(dataset, options).state()
  const text = JSON.stringify(state)
  expect(text).toContain(module)
  const moved = JSON.parse(text.replaceAll(module, 'file:///elsewhere.ts'))
  expect((await load(dataset, options, moved)).length).toBe(4)
})

test.each<[string, Partial<Dataset>, string]>([
  [
    'no module',
    { source: { module: 'file:///nowhere.js' } },
    'file:///nowhere.js, which is to make a data set, cannot be',
  ],
  [
    'no function',
    { source: { module, export: 'none' } },
    "exports no function 'none'; expected one that makes a data set",
  ],
  [
    'no data set',
    { source: { module, export: 'nothing' } },
    'made no data set; expected { length, classes, get(index) }',
  ],
])('%s is told', async (_, change, message) => {
  const dataset = { ...stripes({ count: 4 }), ...change }
  expect(await errorOf(load(dataset, { ...options, workers: 1 }))).toContain(message)
})

test('no transform is told, and one without a module', async () => {
  const none = { ...brighten(1), export: 'nothing' }
  const chain = [none, toTensor()]
  const dataset = stripes({ count: 4 })
  expect(await errorOf(load(dataset, { transforms: chain, batchSize: 2, workers: 1 }))).toContain(
    "made no transform 'brighten'",
  )
  const { module: _, ...here } = brighten(1)
  const nested = { transforms: [compose([here]), toTensor()], batchSize: 2, workers: 1 }
  expect(() => createLoader(dataset, nested)).toThrow("There is no transform 'brighten'")
})
