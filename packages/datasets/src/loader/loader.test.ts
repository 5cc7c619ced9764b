/** The loader: the same bits for every number of workers, and no thread left behind. */
import { describe, expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { deriveSeed } from '@vitral/core/image'
import { errorOf, gather, load } from '../../test/load.ts'
import { photos } from '../../test/photos.ts'
import { imageFiles } from '../datasets/image-files.ts'
import { packedDataset } from '../datasets/packed-dataset.ts'
import { Random } from '../random/random.ts'
import { seedFor } from '../random/seeds.ts'
import { distributedSampler, repeatedAugmentationSampler } from '../samplers/index.ts'
import { openCifar10 } from '../sources/cifar.ts'
import * as transforms from '../transforms/index.ts'
import type { Batch, Dataset, Example, ImageTensor, Sample, Transform } from '../types.ts'
import { createLoader } from './loader.ts'

const sample = join(import.meta.dir, '../../../../examples/cifar10-sample')
const held = await openCifar10(sample, { split: 'test' })
const { cifar32 } = transforms

const chain: Transform[] = [
  transforms.randomCrop(32, { padding: 4 }),
  transforms.randomHorizontalFlip(),
  transforms.randomRotation(15),
  transforms.colorJitter({ brightness: 0.2, contrast: 0.2, saturation: 0.2, hue: 0.1 }),
  transforms.toTensor(),
  transforms.normalize(transforms.cifar10Mean, transforms.cifar10Std),
]

describe('in the calling thread', () => {
  test('evaluation: every example once, in order, the last batch smaller', async () => {
    const batches = await load(held, { transforms: cifar32({ train: false }), batchSize: 128 })
    expect(batches.map(({ pixelValues }) => pixelValues.shape)).toEqual([
      [128, 3, 32, 32],
      [128, 3, 32, 32],
      [44, 3, 32, 32],
    ])
    const indices = batches.flatMap(batch => [...batch.indices])
    expect(indices).toEqual(Array.from({ length: 300 }, (_, i) => i))
    const labels = batches.flatMap(batch => [...batch.labels])
    expect(labels).toEqual(indices.map(i => (held.get(i) as Example).label))
  })

  test('a sampler decides which examples come; copies of one are augmented by chances of their own', async () => {
    const share = distributedSampler(held.length, { numReplicas: 7, rank: 3, seed: 5 })
    const mine = await load(held, { transforms: chain, sampler: share, batchSize: 20 }, { epoch: 2 })
    expect(mine.flatMap(({ indices }) => [...indices])).toEqual([...share.order(2).indices])

    const sampler = repeatedAugmentationSampler(held.length, { shuffle: false })
    const [once, inWorkers] = [0, 2].map(workers => load(held, { transforms: chain, sampler, batchSize: 3, workers }))
    const batches = (await once) as Batch[]
    expect(await inWorkers).toEqual(batches)
    const [{ indices, pixelValues }] = batches as [Batch]
    expect([...indices]).toEqual([0, 0, 0])
    const size = pixelValues.data.length / 3
    const copies = [0, 1, 2].map(copy => pixelValues.data.slice(copy * size, (copy + 1) * size).join())
    expect(new Set(copies).size).toBe(3)
    const plain = await load(held, { transforms: chain, batchSize: 1 })
    expect(copies[0]).toBe(plain[0]?.pixelValues.data.join() as string) // the first is as without copies
    expect(() => createLoader(held, { transforms: chain, batchSize: 1, sampler, shuffle: true })).toThrow('one of them')
  })

  test('the floats are those of the transforms, one by one', async () => {
    const [batch] = await load(held, { transforms: chain, batchSize: 5, seed: 11 }, { epoch: 3 })
    for (let i = 0; i < 5; i++) {
      const seed = seedFor(11, 'transforms', 3, i)
      const alone = chain.reduce<Sample>(
        (sample, transform: Transform, step) => transform.apply(sample, new Random(deriveSeed(seed, step))),
        (held.get(i) as Example).image,
      )
      expect(batch?.pixelValues.data.subarray(i * 3072, (i + 1) * 3072)).toEqual((alone as ImageTensor).data)
    }
  })

  test('training: every example once in an order of its own each epoch, the rest dropped', async () => {
    const options = { transforms: cifar32({ train: true }), batchSize: 64, shuffle: true, dropLast: true, seed: 5 }
    const epochs = [await load(held, options, { epoch: 0 }), await load(held, options, { epoch: 1 })]
    const [first = [], second = []] = epochs.map(batches => batches.flatMap(batch => [...batch.indices]))
    expect(epochs.map(batches => batches.length)).toEqual([4, 4])
    expect(new Set(first).size).toBe(256)
    expect(second).not.toEqual(first)
    expect((await load(held, { ...options, seed: 6 }))[0]?.indices).not.toEqual(epochs[0]?.[0]?.indices as Int32Array)
    expect(await load(held, options, { epoch: 1 })).toEqual(epochs[1] as Batch[])
  })

  test('a large batch has a few examples under way at a time', async () => {
    let [open, most] = [0, 0]
    const image = { data: new Uint8Array(3), width: 1, height: 1, channels: 3 }
    const dataset: Dataset = {
      length: 256,
      classes: ['a'],
      async get() {
        most = Math.max(most, ++open)
        await Bun.sleep(1)
        open--
        return { image, label: 0 }
      },
    }
    const [batch] = await load(dataset, { transforms: [transforms.toTensor()], batchSize: 256 })
    expect(batch?.labels.length).toBe(256)
    expect(most).toBe(16)
  })

  test('batches resume in the middle of an epoch', async () => {
    const loader = createLoader(held, { transforms: chain, batchSize: 32, shuffle: true })
    expect(loader.batchesPerEpoch).toBe(10)
    const whole = await gather(loader, { epoch: 2 })
    expect(await gather(loader, { epoch: 2, firstBatch: 7 })).toEqual(whole.slice(7))
    expect(await gather(loader, { epoch: 2, firstBatch: 10 })).toEqual([])
  })
})

describe('in workers', () => {
  test.each([1, 2, 3])('%d: the same bits, in the same order', async workers => {
    const options = { transforms: chain, batchSize: 48, shuffle: true, seed: 9 }
    expect(await load(held, { ...options, workers }, { epoch: 4 })).toEqual(await load(held, options, { epoch: 4 }))
  })

  test('decoded there: image files of many sizes', async () => {
    const dataset = await photos(10)
    const options = { transforms: transforms.articleFineTune({ train: true }), batchSize: 4, shuffle: true }
    const here = await load(dataset, options)
    expect(here.map(({ labels }) => labels.length)).toEqual([4, 4, 2])
    expect(await load(dataset, { ...options, workers: 2, prefetch: 1 })).toEqual(here)
  })

  test('serve one epoch after another, and one that is left early', async () => {
    const loader = createLoader(held, {
      transforms: cifar32({ train: true }),
      batchSize: 50,
      shuffle: true,
      workers: 2,
    })
    for await (const batch of loader.batches({ epoch: 0 })) {
      expect(batch.labels.length).toBe(50)
      break
    }
    expect((await gather(loader, { epoch: 1 })).length).toBe(6)
    await loader.close()
  })

  test('closed: what is asked for afterwards, or at the time, is refused', async () => {
    const loader = createLoader(held, { transforms: chain, batchSize: 100, workers: 1 })
    const underWay = errorOf(loader.batches().next())
    await loader.close()
    expect(await underWay).toBe('Error: The loader is closed.')
    expect(await errorOf(loader.batches().next())).toBe('Error: The loader is closed.')
  })

  test('a process ends by itself when its loader is idle, closed or not', () => {
    const script = `
      import { createLoader, openCifar10, transforms } from ${JSON.stringify(join(import.meta.dir, '../index.ts'))}
      const dataset = await openCifar10(${JSON.stringify(sample)}, { split: 'test' })
      const options = { transforms: transforms.cifar32({ train: false }), batchSize: 100, workers: 2 }
      let images = 0
      for await (const { labels } of createLoader(dataset, options).batches()) images += labels.length
      console.log(images)`
    const { stdout, status } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8', timeout: 20_000 })
    expect([stdout.trim(), status]).toEqual(['300', 0])
  })

  test('a data set that a worker cannot open is an error', async () => {
    const broken: Dataset = { ...held, source: { name: 'nowhere', params: 0 } }
    expect(await errorOf(load(broken, { transforms: chain, batchSize: 10, workers: 1 }))).toMatch(
      "There is no data set source 'nowhere'; expected packed, imageFiles, memory, selectedClasses, subset.",
    )
  })
})

describe('refuses', () => {
  const options = { transforms: cifar32({ train: false }), batchSize: 10 }
  test.each([
    [{ batchSize: 0 }, 'batchSize is 0; expected a whole number of at least 1.'],
    [{ workers: -1 }, 'workers is -1; expected a whole number of at least 0.'],
    [{ prefetch: 0 }, 'prefetch is 0; expected a whole number of at least 1.'],
  ])('%p', (change, message) => {
    expect(() => createLoader(held, { ...options, ...change })).toThrow(message)
  })

  test('workers for what exists in this thread only', () => {
    const { source: _, ...own } = held
    expect(() => createLoader(own, { ...options, workers: 1 })).toThrow('the data set has no source')
    const mine: Transform = { name: 'mine', args: [], apply: image => image }
    const withMine = { ...options, transforms: [mine, ...options.transforms] }
    expect(() => createLoader(held, { ...withMine, workers: 1 })).toThrow("There is no transform 'mine'")
    expect(createLoader(held, withMine).batchesPerEpoch).toBe(30)
  })

  test('labels and examples that do not exist', () => {
    expect(() => imageFiles([{ path: 'a.jpg', label: 2 }], ['cat', 'dog'])).toThrow(
      'a.jpg has label 2; expected 0 to 1',
    )
    const pixels = new Uint8Array(new SharedArrayBuffer(3))
    const labels = new Int32Array(new SharedArrayBuffer(4))
    const one = packedDataset({ pixels, labels, width: 1, height: 1, channels: 3, classes: ['a'] })
    expect(() => one.get(1)).toThrow('Example 1 was asked for; the data set has 1')
  })
})
