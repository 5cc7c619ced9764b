/** Images of several classes, or of none: from a list to batches, through workers, caches and mixing. */
import { describe, expect, test } from 'bun:test'
import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '../../test/temporary-folder.ts'
import { createLoader } from '../loader/loader.ts'
import { openManifest } from '../sources/manifest.ts'
import { mixUp, toTensor } from '../transforms/index.ts'
import type { Batch, Dataset } from '../types.ts'
import { imageFiles } from './image-files.ts'
import { selectClasses } from './select-classes.ts'
import { subset } from './subset.ts'

const folder = temporaryFolder()
for (const name of ['a', 'b', 'c'])
  copyFileSync(join(import.meta.dir, '../../test/fixtures/decode/colour.png'), join(folder, `${name}.png`))
const manifest = (name: string, text: string): string => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}
const all = { split: 'train', fractions: { validation: 0, test: 0 } } as const
const openTable = (): ReturnType<typeof openManifest> =>
  openManifest(manifest('a.csv', 'path,labels\na.png,dog|cat\nb.png,\nc.png,bird\n'), all)
const hot = [0, 1, 1, 0, 0, 0, 1, 0, 0] // [3, 3]: bird, cat, dog

async function batchOf(dataset: Dataset, options: Partial<Parameters<typeof createLoader>[1]> = {}): Promise<Batch[]> {
  const loader = createLoader(dataset, { transforms: [toTensor()], batchSize: 3, ...options })
  const batches: Batch[] = []
  for (const epoch of [0, 1]) for await (const batch of loader.batches({ epoch })) batches.push(batch)
  await loader.close()
  return batches
}

describe('a list with labels', () => {
  test('a list with labels is a multi-label data set, as a table and in JSON', async () => {
    const table = await openTable()
    expect(table.multiLabel).toBe(true)
    expect(table.classes).toEqual(['bird', 'cat', 'dog'])
    expect(table.files.map(({ label }) => label)).toEqual([[2, 1], [], [0]])
    expect(table.labels).toEqual([2, -1, 0])
    const lines = manifest(
      'a.jsonl',
      '{"path":"a.png","labels":["dog","cat"]}\n{"path":"b.png","labels":[]}\n{"path":"c.png","labels":["bird"]}\n',
    )
    expect((await openManifest(lines, all)).files).toEqual(table.files)
  })

  test.each([
    ['{"path":"a.png","labels":["dog","dog"]}', "a.png has the class 'dog' twice"],
    ['{"path":"a.png","labels":["dog",null]}', 'line 1 has labels ["dog",null]; expected names of classes'],
    ['{"path":"a.png","labels":["dog"],"label":"dog"}', 'line 1 has both label and labels'],
  ])('%s is refused', async (line, message) => {
    await expect(openManifest(manifest('wrong.jsonl', `${line}\n`), all)).rejects.toThrow(message)
  })
})

describe('batches', () => {
  test.each([0, 1])('have 1 for every class of an image, with %d workers and decoded once', async workers => {
    const dataset = await openTable()
    for (const cacheBytes of [0, 2 ** 20])
      for (const batch of await batchOf(dataset, { workers, cacheBytes })) {
        expect(batch.softLabels?.shape).toEqual([3, 3])
        expect([...(batch.softLabels?.data ?? [])]).toEqual(hot)
        expect([...batch.labels]).toEqual([2, -1, 0])
      }
  })

  test('are mixed in their shares', async () => {
    const [batch] = await batchOf(await openTable(), { batchTransforms: [mixUp({ alpha: 1 })] })
    const sums = [0, 1, 2].map(k => [0, 1, 2].reduce((sum, b) => sum + (batch?.softLabels?.data[b * 3 + k] ?? 0), 0))
    for (const sum of sums) expect(sum).toBeCloseTo(1, 5) // each class is in one image; mixing moves shares between rows
    expect([...(batch?.softLabels?.data ?? [])]).not.toEqual(hot)
  })

  test('of a part of it are as those of the whole', async () => {
    const [batch] = await batchOf(subset(await openTable(), [2, 0]), { batchSize: 2 })
    expect([...(batch?.softLabels?.data ?? [])]).toEqual([1, 0, 0, 0, 1, 1])
  })
})

test('a data set that promises labels and has none says so', async () => {
  const dataset: Dataset = {
    ...(await openTable()),
    source: undefined,
    get: async () => ({ image: { data: new Uint8Array(3), width: 1, height: 1, channels: 3 }, label: 0 }),
  }
  await expect(batchOf(dataset)).rejects.toThrow(/^Example 0 \(.*\): it has no labels; expected a list/)
})

test('what is not possible is refused', async () => {
  expect(() => imageFiles([{ path: 'x.png', label: [3] }], ['cat'])).toThrow('x.png has label 3; expected 0 to 0')
  const table = await openTable()
  expect(() => selectClasses(table, ['cat'])).toThrow('Classes cannot be selected of a multi-label data set')
})
