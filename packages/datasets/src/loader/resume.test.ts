/** Going on in the middle of an epoch, from a state that went through JSON, with any number of workers. */
import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { errorOf, gather, load } from '../../test/load.ts'
import { imageFiles } from '../datasets/image-files.ts'
import { subset } from '../datasets/subset.ts'
import { distributedSampler, repeatedAugmentationSampler, weightedSampler } from '../samplers/index.ts'
import { openCifar10 } from '../sources/cifar.ts'
import * as transforms from '../transforms/index.ts'
import type { Example } from '../types.ts'
import { createLoader, type LoaderOptions } from './loader.ts'
import type { LoaderState } from './plan.ts'

const held = await openCifar10(join(import.meta.dir, '../../../../examples/cifar10-sample'), { split: 'test' })
const options: LoaderOptions = {
  transforms: [
    transforms.randomCrop(32, { padding: 4 }),
    transforms.colorJitter({ brightness: 0.2 }),
    transforms.toTensor(),
  ],
  batchSize: 40,
  shuffle: true,
  seed: 5,
}

describe.each([
  [0, 2],
  [2, 1],
  [1, 0],
])('stopped with %d workers, gone on with %d', (before, after) => {
  test.each([1, 3, 8])('after batch %d: exactly the batches that remain', async taken => {
    const whole = await load(held, options, { epoch: 6 })
    const stopped = createLoader(held, { ...options, workers: before })
    let state: LoaderState | undefined
    let count = 0
    for await (const _ of stopped.batches({ epoch: 6 })) {
      state = JSON.parse(JSON.stringify(stopped.state())) as LoaderState
      if (++count === taken) break
    }
    await stopped.close()
    expect(state).toMatchObject({ epoch: 6, firstBatch: taken })
    expect(await load(held, { ...options, workers: after }, state)).toEqual(whole.slice(taken))
  })
})

describe('the state', () => {
  test('begins with the epoch and counts what was handed out, not what was made ahead', async () => {
    const loader = createLoader(held, { ...options, workers: 1, prefetch: 4 })
    expect(loader.state()).toMatchObject({ epoch: 0, firstBatch: 0 })
    const batches = loader.batches({ epoch: 2, firstBatch: 5 })
    await batches.next()
    expect(loader.state()).toMatchObject({ epoch: 2, firstBatch: 6 })
    await batches.return()
    expect((await gather(loader, { epoch: 3 })).length).toBe(8)
    expect(loader.state()).toMatchObject({ epoch: 3, firstBatch: 8 })
    expect(await gather(loader, loader.state())).toEqual([])
    await loader.close()
  })

  test.each<[string, Partial<LoaderOptions>]>([
    ['batchSize', { batchSize: 20 }],
    ['seed', { seed: 6 }],
    ['dropLast', { dropLast: true }],
    ['sampler', { shuffle: false }],
    ['transforms', { transforms: [transforms.toTensor()] }],
  ])('of another %s is refused', async (name, change) => {
    const state = createLoader(held, options).state()
    expect(await errorOf(load(held, { ...options, ...change }, state))).toStartWith(`Error: The loader's ${name} was `)
  })

  test('the state of another data set is refused', async () => {
    const state = createLoader(held, options).state()
    const smaller = { ...held, length: 299 }
    expect(await errorOf(load(smaller, options, state))).toContain(
      'examples was 300 when the state was saved and is 299',
    )
  })
})

describe('data of the same length', () => {
  const chain = { transforms: [transforms.toTensor()], batchSize: 2 }
  const files = [0, 1, 2].map(i => ({ path: `/data/one/${i}.png`, label: i % 2 }))
  const original = imageFiles(files, ['a', 'b'], { folder: '/data/one' })
  const state = JSON.parse(JSON.stringify(createLoader(original, chain).state())) as LoaderState

  test.each([
    ['classes', imageFiles(files, ['a', 'c'], { folder: '/data/one' })],
    [
      'labels',
      imageFiles([...files.slice(1), { path: '/data/one/0.png', label: 1 }], ['a', 'b'], { folder: '/data/one' }),
    ],
    [
      'files',
      imageFiles([...files.slice(0, 2), { path: '/data/one/9.png', label: 0 }], ['a', 'b'], { folder: '/data/one' }),
    ],
    ['examples, chosen from more', subset(imageFiles([...files, ...files], ['a', 'b']), [0, 1, 5])],
  ])('with other %s is refused', async (_, other) => {
    expect(await errorOf(load(other, chain, state))).toContain('has 3 examples, as when the state was saved, but other')
  })

  test('a data set that lies elsewhere is known again', () => {
    const moved = files.map(({ path, label }) => ({ path: path.replace('/data/one', 'D:\\two'), label }))
    const there = createLoader(imageFiles(moved, ['a', 'b'], { folder: 'D:\\two' }), chain)
    expect(there.plan).toEqual(state.plan)
  })

  test('packed images are told apart by their labels', async () => {
    const packed = { ...held, labels: Array.from(held.labels as ArrayLike<number>).reverse() }
    const before = createLoader(held, options).state()
    expect(await errorOf(load(packed, options, before))).toContain('but other classes, labels or files')
  })

  test('a state that does not name its data set is refused', async () => {
    const { content: _, ...plan } = state.plan
    const old = { ...state, plan: plan as LoaderState['plan'] }
    expect(await errorOf(load(original, chain, old))).toContain('saved before it said which data it belongs to')
  })
})

describe('with a sampler', () => {
  test('the shares of several processes are, together, the batches of an epoch', async () => {
    const shares = await Promise.all(
      [0, 1, 2].map(rank =>
        load(held, {
          ...options,
          shuffle: false,
          batchSize: 10,
          sampler: distributedSampler(held.length, { numReplicas: 3, rank, seed: 5 }),
        }),
      ),
    )
    expect(shares.map(batches => batches.length)).toEqual([10, 10, 10])
    const seen = shares.flatMap(batches => batches.flatMap(({ indices }) => [...indices]))
    expect(seen.sort((a, b) => a - b)).toEqual(Array.from({ length: 300 }, (_, i) => i))
  })

  test.each([0, 2])('copies of an image are augmented each in its own way, with %d workers', async workers => {
    const sampler = repeatedAugmentationSampler(held.length, { seed: 1 })
    const [batch] = await load(held, { ...options, shuffle: false, batchSize: 6, sampler, workers })
    const { data } = batch?.pixelValues ?? { data: new Float32Array() }
    const images = Array.from({ length: 6 }, (_, i) => data.subarray(i * 3072, (i + 1) * 3072).join())
    const indices = [...(batch?.indices ?? [])]
    expect(indices).toEqual([0, 0, 0, 3, 3, 3].map(i => indices[i] as number))
    expect(new Set(images).size).toBe(6)
    // The first copy is what it is without repeats.
    const epoch = await load(held, { ...options, batchSize: 300 })
    const place = epoch[0]?.indices.indexOf(indices[0] as number) as number
    expect(epoch[0]?.pixelValues.data.subarray(place * 3072, (place + 1) * 3072).join()).toBe(images[0] as string)
  })

  test('the number of batches is that of the sampler', async () => {
    const weights = Array.from({ length: 300 }, (_, i) => Number((held.get(i) as Example).label === 4))
    const sampler = weightedSampler(weights, { numSamples: 90 })
    const loader = createLoader(held, { ...options, shuffle: false, sampler })
    expect(loader.batchesPerEpoch).toBe(3)
    const labels = (await gather(loader)).flatMap(batch => [...batch.labels])
    expect(labels).toEqual(Array(90).fill(4))
  })

  test('beside shuffle is refused', () => {
    const sampler = distributedSampler(300, { numReplicas: 2, rank: 0 })
    expect(() => createLoader(held, { ...options, sampler })).toThrow('Both sampler and shuffle are given')
  })
})
