/** Inspection: what it counts and finds, and where the tiles of a contact sheet are. */
import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type MemoryExample, memoryDataset } from '../datasets/memory-dataset.ts'
import { decodeImage } from '../images/decode-image.ts'
import * as transforms from '../transforms/index.ts'
import type { Dataset, RawImage } from '../types.ts'
import { chooseExamples } from './choose-examples.ts'
import { contactSheet } from './contact-sheet.ts'
import { findDuplicates } from './find-duplicates.ts'
import { inspectDataset } from './inspect-dataset.ts'

const png = new Uint8Array(readFileSync(join(import.meta.dir, '../../test/fixtures/decode/colour.png')))
const image = (value: number, width = 4, height = 3): RawImage => ({
  data: new Uint8Array(width * height * 3).fill(value),
  width,
  height,
  channels: 3,
})
const examples: MemoryExample[] = [
  { image: image(1), label: 0 },
  { image: image(2, 8, 8), label: 1 },
  { image: png.subarray(0, 90), label: 1 },
  { image: image(1), label: 1 },
  { image: image(1, 3, 4), label: 0 },
  { image: png, label: 0 },
]
const classes = ['a', 'b', 'empty']

test('inspectDataset counts classes and sizes, finds what is broken, tells progress', async () => {
  const done: number[] = []
  const {
    count,
    classes: counts,
    sizes,
    broken,
    contents,
  } = await inspectDataset(await memoryDataset(examples, classes), {
    onProgress: images => done.push(images),
    ahead: 2,
  })
  expect(count).toBe(6)
  expect(counts).toEqual([
    { name: 'a', count: 3 },
    { name: 'b', count: 2 },
    { name: 'empty', count: 0 },
  ])
  expect(sizes).toEqual([
    { width: 4, height: 3, count: 2 },
    { width: 3, height: 4, count: 1 },
    { width: 8, height: 8, count: 1 },
    { width: 16, height: 12, count: 1 },
  ])
  expect(broken).toEqual([{ index: 2, reason: expect.stringContaining('cannot be decoded') }])
  expect(done).toEqual([1, 2, 3, 4, 5, 6])
  expect(contents.map(content => content?.label)).toEqual([0, 1, undefined, 1, 0, 0])
})

test('findDuplicates finds what is there twice, in one split or in two, but not the same bytes in another shape', async () => {
  const train = await inspectDataset(await memoryDataset(examples, classes))
  const held = await inspectDataset(await memoryDataset([{ image: await decodeImage(png), label: 2 }], classes))
  expect(findDuplicates({ train, test: held })).toEqual([
    [
      { split: 'train', index: 0, label: 0 },
      { split: 'train', index: 3, label: 1 },
    ],
    [
      { split: 'train', index: 5, label: 0 },
      { split: 'test', index: 0, label: 2 },
    ],
  ])
})

test('inspectDataset passes on an error that is no broken image', async () => {
  const get = (): never => {
    throw new TypeError('a mistake')
  }
  await expect(inspectDataset({ length: 1, classes, get })).rejects.toThrow('a mistake')
})

test('a contact sheet shows the image, what evaluation sees and what training sees, undone from its normalization', async () => {
  const data = new Uint8Array(32 * 32 * 3).map((_, i) => [200, 100, 20][i % 3] as number)
  const dataset: Dataset = {
    length: 9,
    classes: ['<&">'],
    get: () => ({ image: { ...image(0, 32, 32), data }, label: 0 }),
  }
  const mean = [0.5, 0.4, 0.3]
  const tail = [transforms.toTensor(), transforms.normalize(mean, [0.2, 0.3, 0.4])]
  const bytes = await contactSheet(dataset, {
    indices: [8, 2],
    evaluation: tail,
    training: [transforms.randomCrop(32, { padding: 64 }), ...tail],
    copies: 3,
  })
  const sheet = await decodeImage(bytes)
  const at = (x: number, y: number): number[] => [
    ...sheet.data.subarray(3 * (y * sheet.width + x), 3 * (y * sheet.width + x) + 3),
  ]
  const tile = 96 + 8
  expect([sheet.width, sheet.height]).toEqual([160 + 5 * tile, 28 + 2 * tile])
  for (const row of [0, 1])
    for (const column of [0, 1]) expect(at(160 + column * tile + 48, 28 + row * tile + 48)).toEqual([200, 100, 20])
  const seen = [2, 3, 4].flatMap(column => [0, 1].map(row => at(160 + column * tile + 48, 28 + row * tile + 48).join()))
  for (const pixel of seen) expect(['200,100,20', '0,0,0']).toContain(pixel) // the image, or the padding around it
  expect(at(160 + 100, 28 + 48)).toEqual([255, 255, 255])
})

test('a contact sheet undoes normalization inside of compose, and shows what batches become', async () => {
  const { compose, mixUp, normalize, toTensor } = transforms
  const dataset = await memoryDataset(
    [0, 200].map(value => ({ image: image(value, 32, 32), label: 0 })),
    classes,
  )
  const chain = [compose([compose([toTensor(), normalize([0.5, 0.5, 0.5], [0.2, 0.2, 0.2])])])]
  const both = { indices: [0, 1], evaluation: chain, training: chain, copies: 1 }
  const middles = async (more: Partial<Parameters<typeof contactSheet>[1]>): Promise<number[][]> => {
    const sheet = await decodeImage(await contactSheet(dataset, { ...both, ...more }))
    const at = (column: number, row: number): number =>
      sheet.data[3 * ((28 + row * 104 + 48) * sheet.width + 160 + column * 104 + 48)] as number
    return [0, 1].map(row => [0, 1, 2].map(column => at(column, row)))
  }
  expect(await middles({})).toEqual([
    [0, 0, 0],
    [200, 200, 200],
  ])
  const [[, , first = 0], [evaluated, , second = 0]] = (await middles({ batches: [mixUp()] })) as [number[], number[]]
  expect(evaluated).toBe(200)
  expect(Math.abs(first + second - 200)).toBeLessThanOrEqual(1)
  expect(first).toBeGreaterThan(0)
})

test('a contact sheet has its limit', async () => {
  const options = { indices: Array(65).fill(0), evaluation: [], training: [] }
  const dataset = await memoryDataset(examples, classes)
  await expect(contactSheet(dataset, options)).rejects.toThrow('of 65 images was asked for; expected at most 64.')
})

test('contactSheet refuses images of different sizes after the transforms', async () => {
  const dataset = await memoryDataset([examples[0] as MemoryExample, examples[1] as MemoryExample], classes)
  const chain = [transforms.toTensor()]
  await expect(contactSheet(dataset, { indices: [0, 1], evaluation: chain, training: chain })).rejects.toThrow(
    'a resize or crop to a fixed size makes them equal',
  )
})

test('examples are chosen of every class first, and none that is broken', async () => {
  const inspection = await inspectDataset(await memoryDataset(examples, classes))
  const labels = (count: number, seed = 0): (number | undefined)[] =>
    chooseExamples(inspection, count, seed).map(index => inspection.contents[index]?.label)
  expect(labels(1)).toEqual([0])
  expect(labels(2)).toEqual([0, 1])
  expect(labels(3)).toEqual([0, 0, 1])
  expect(labels(99)).toEqual([0, 0, 0, 1, 1])
  expect(chooseExamples(inspection, 99, 0)).not.toContain(2)
  const choices = new Set(Array.from({ length: 20 }, (_, seed) => chooseExamples(inspection, 2, seed).join()))
  expect(choices.size).toBeGreaterThan(1)
  expect(chooseExamples({ ...inspection, contents: [] }, 5, 0)).toEqual([])
})
