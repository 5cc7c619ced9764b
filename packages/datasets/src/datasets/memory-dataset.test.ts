/** Images in memory and subsets, from this thread and from workers; broken images that are left out. */
import { describe, expect, test } from 'bun:test'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '../../test/temporary-folder.ts'
import { createLoader } from '../loader/loader.ts'
import * as transforms from '../transforms/index.ts'
import type { Batch, Dataset } from '../types.ts'
import { imageFiles } from './image-files.ts'
import { type MemoryExample, memoryDataset } from './memory-dataset.ts'
import { selectClasses } from './select-classes.ts'
import { subset } from './subset.ts'

const fixtures = join(import.meta.dir, '../../test/fixtures/decode')
const png = new Uint8Array(readFileSync(join(fixtures, 'colour.png')))
const square = (value: number): MemoryExample['image'] => ({
  data: new Uint8Array(12).fill(value),
  width: 2,
  height: 2,
  channels: 3,
})

async function load(dataset: Dataset, workers: number, batchSize = 4): Promise<Batch[]> {
  const chain = [transforms.resize([2, 2]), transforms.toTensor()]
  const loader = createLoader(dataset, { transforms: chain, batchSize, workers })
  try {
    return await Array.fromAsync(loader.batches())
  } finally {
    await loader.close()
  }
}

test('memoryDataset takes pixels and files of any size from an async iterable', async () => {
  async function* examples(): AsyncGenerator<MemoryExample> {
    yield { image: square(51), label: 1 }
    yield { image: png, label: 0 }
    yield { image: png.buffer.slice(0), label: 1 }
    yield { image: new Blob([png]), label: 0 }
  }
  const dataset = await memoryDataset(examples(), ['a', 'b'])
  expect([dataset.length, dataset.classes]).toEqual([4, ['a', 'b']])
  const sizes = await Promise.all([0, 1, 2, 3].map(async i => (await dataset.get(i)).image.width))
  expect(sizes).toEqual([2, 16, 16, 16])
  const [here] = await load(dataset, 0)
  const [there] = await load(dataset, 2)
  expect(here?.labels).toEqual(Int32Array.of(1, 0, 1, 0))
  expect(here?.pixelValues.data[0]).toBeCloseTo(0.2, 6)
  expect(there).toEqual(here as Batch)
})

test('a subset is the same from workers', async () => {
  const dataset = await memoryDataset(
    [0, 1, 2, 3].map(i => ({ image: square(i), label: i })),
    ['a', 'b', 'c', 'd'],
  )
  const part = subset(dataset, [3, 1])
  expect(part.labels).toEqual([3, 1])
  expect([part.length, part.classes.length]).toEqual([2, 4])
  for (const workers of [0, 1]) expect((await load(part, workers))[0]?.labels).toEqual(Int32Array.of(3, 1))
  expect(() => subset(dataset, [4])).toThrow('indices has 4; expected whole numbers from 0 to 3.')
  expect(() => part.get(2)).toThrow('Example 2 was asked for; the data set has 2')
})

test('memoryDataset refuses labels without a class and pixels of another count', async () => {
  await expect(memoryDataset([{ image: png, label: 1 }], ['a'])).rejects.toThrow(
    'Example 0 has label 1; expected 0 to 0.',
  )
  const image = { data: new Uint8Array(11), width: 2, height: 2, channels: 3 }
  await expect(memoryDataset([{ image, label: 0 }], ['a'])).rejects.toThrow(
    'Example 0 has 11 bytes of pixels; expected 2 · 2 · 3 = 12.',
  )
  const floats = { ...image, data: new Float32Array(12).fill(0.5) as never }
  await expect(memoryDataset([{ image: floats, label: 0 }], ['a'])).rejects.toThrow(
    "Example 0: An image's data are a Float32Array; expected a Uint8Array, bytes from 0 to 255: multiply",
  )
})

describe('broken images', () => {
  const folder = temporaryFolder()
  const file = (name: string, bytes: Uint8Array): { path: string; label: number } => {
    writeFileSync(join(folder, name), bytes)
    return { path: join(folder, name), label: 0 }
  }
  const files = [
    file('0.png', png),
    file('1.png', png.subarray(0, 90)),
    file('2.png', new Uint8Array(0)),
    file('3.png', png),
    file('4.png', png.subarray(0, 60)),
    { path: join(folder, 'none.png'), label: 0 },
  ]

  test.each([0, 1])('broken images end the epoch by name, with %d workers', async workers => {
    await expect(load(imageFiles(files, ['a']), workers)).rejects.toThrow(
      `Example 1: ${files[1]?.path} cannot be decoded`,
    )
  })
  test.each([0, 1])('broken images are left out of their batches and listed there, with %d workers', async workers => {
    const [first, second] = await load(imageFiles(files, ['a'], { onBroken: 'skip' }), workers)
    expect(first?.pixelValues.shape).toEqual([2, 3, 2, 2])
    expect(first?.pixelValues.data).toHaveLength(24)
    expect(first?.labels).toHaveLength(2)
    expect([...(first?.indices ?? [])]).toEqual([0, 3])
    expect(first?.skipped).toEqual([
      { index: 1, reason: expect.stringContaining(`${files[1]?.path} cannot be decoded`) },
      { index: 2, reason: `${files[2]?.path} is empty; expected an image file.` },
    ])
    expect(second?.pixelValues.shape[0]).toBe(0)
    expect(second?.skipped.map(({ index }) => index)).toEqual([4, 5])
  })
  test('broken images in memory are left out, too', async () => {
    const broken = [png, png.subarray(0, 90)].map(image => ({ image, label: 0 }))
    const [batch] = await load(await memoryDataset(broken, ['a'], { onBroken: 'skip' }), 0)
    expect(batch?.skipped).toEqual([{ index: 1, reason: expect.stringContaining('An image of 90 bytes cannot be') }])
  })
})

test('selected classes are labelled anew, in the order they are given, from workers too', async () => {
  const dataset = await memoryDataset(
    [0, 1, 2, 3, 2].map((label, i) => ({ image: square(i), label })),
    ['a', 'b', 'c', 'd'],
  )
  expect(dataset.labels).toEqual([0, 1, 2, 3, 2])
  const part = selectClasses(dataset, ['c', 'a'])
  expect([part.length, part.classes, part.labels]).toEqual([3, ['c', 'a'], [1, 0, 0]])
  for (const workers of [0, 1]) {
    const [batch] = await load(part, workers)
    expect(batch?.labels).toEqual(Int32Array.of(1, 0, 0))
    expect([0, 1, 2].map(i => Math.round((batch?.pixelValues.data[i * 12] as number) * 255))).toEqual([0, 2, 4])
  }
  expect(() => selectClasses(dataset, ['e'])).toThrow("no class 'e'; expected some of a, b, c, d.")
  const many = { ...dataset, classes: Array.from({ length: 21_843 }, (_, i) => `n${i}`) }
  expect(() => selectClasses(many, ['e'])).toThrow(/expected some of n0, .*, n4 and 21838 more\.$/)
  expect(() => selectClasses(dataset, ['a', 'a'])).toThrow("The class 'a' is selected twice.")
  expect(() => selectClasses(dataset, [])).toThrow('There is no class to select')
  const own: Dataset = { length: 1, classes: ['a'], get: () => dataset.get(0) }
  expect(() => selectClasses(own, ['a'])).toThrow('does not say its labels')
})
