import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Dataset } from '@vitral/datasets'
import { writeTinyCifar } from '../../test/tiny-cifar.ts'
import { openParts } from './validation-split.ts'

const root = mkdtempSync(join(tmpdir(), 'vitral-validation-'))
const photos = join(root, 'photos')
const flat = join(root, 'flat')

beforeAll(() => {
  writeTinyCifar(root)
  const image = join(import.meta.dirname, '../../test/fixtures/cat.png')
  const copy = (to: string) => {
    mkdirSync(dirname(to), { recursive: true })
    copyFileSync(image, to)
  }
  for (const label of ['a', 'b']) {
    for (const i of [1, 2, 3]) copy(join(photos, 'train', label, `${i}.png`))
    copy(join(photos, 'val', label, '1.png'))
    copy(join(flat, label, '1.png'))
  }
})
afterAll(() => rmSync(root, { recursive: true }))

const cifar = (validation: number | 'test', classes: string[] | null = null) =>
  openParts({ dataset: 'cifar10', classes, validation }, root, {})

const indices = ({ source }: Dataset) => (source as { params: { indices: number[] } }).params.indices
const perClass = ({ labels, classes }: Dataset) =>
  classes.map((_, k) => Array.from(labels ?? []).filter(label => label === k).length)

describe('openParts', () => {
  test('holds out a share of each class, and keeps the test images apart', async () => {
    const { train, validation, test } = await cifar(0.25)
    expect([train.length, validation.length, test?.length]).toEqual([30, 10, 20])
    expect(perClass(validation)).toEqual(Array(10).fill(1))
    expect(perClass(train)).toEqual(Array(10).fill(3))
    expect([...indices(train), ...indices(validation)].sort((a, b) => a - b)).toEqual(
      Array.from({ length: 40 }, (_, i) => i),
    )
  })

  test('the same images each time, whatever else the recipe says', async () => {
    expect(indices((await cifar(0.25)).validation)).toEqual(indices((await cifar(0.25)).validation))
  })

  test("'test': all training images train, the test images choose, and nothing tests", async () => {
    const { train, validation, test } = await cifar('test')
    expect([train.length, validation.length, test]).toEqual([40, 20, undefined])
  })

  test('openParts takes some classes alone', async () => {
    const { train, validation, test } = await cifar(0.5, ['cat', 'dog'])
    expect([train.length, validation.length, test?.length]).toEqual([4, 4, 4])
    expect(validation.classes).toEqual(['cat', 'dog'])
  })

  test('validation images of its own are used, whatever the share; without test images nothing tests', async () => {
    const { train, validation, test } = await openParts(
      { dataset: 'folder', classes: null, validation: 0.5 },
      photos,
      {},
    )
    expect([train.length, validation.length, test]).toEqual([6, 2, undefined])
  })

  test('openParts holds out the same images of a folder wherever it lies, and when a class is added', async () => {
    const held = async (name: string, classes: Record<string, number>): Promise<string[]> => {
      for (const [label, count] of Object.entries(classes))
        for (let i = 0; i < count; i++) {
          for (const split of ['train', 'test']) {
            const path = join(root, name, split, label, `${i}.png`)
            mkdirSync(dirname(path), { recursive: true })
            copyFileSync(join(photos, 'train/a/1.png'), path)
          }
        }
      const { validation } = await openParts(
        { dataset: 'folder', classes: null, validation: 0.5 },
        join(root, name),
        {},
      )
      return Array.from({ length: validation.length }, (_, i) => validation.keyOf?.(i) as string)
    }
    const before = await held('once', { dog: 12 })
    expect(before).toHaveLength(6)
    const again = await held('again', { cat: 2, dog: 12 })
    expect(again.filter(key => key.startsWith('dog/'))).toEqual(before)
  })

  test('a class has too few images', async () => {
    await expect(openParts({ dataset: 'folder', classes: null, validation: 0.5 }, flat, {})).rejects.toThrow(
      'No class has two images, so that there can be no validation split; expected more images.',
    )
  })
})
