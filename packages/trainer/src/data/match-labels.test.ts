/** Classes of a data set and of a model: by name, or by position when the user says so. */
import { expect, test } from 'bun:test'
import type { Dataset } from '@vitral/datasets'
import { withLabelsOf } from './match-labels.ts'

const image = { data: new Uint8Array(3), width: 1, height: 1, channels: 3 }
const dataset = (...classes: string[]): Dataset => ({
  length: classes.length,
  classes,
  labels: classes.map((_, label) => label),
  get: index => ({ image, label: index }),
})
const labelsOf = async (matched: Dataset) =>
  Promise.all(Array.from({ length: matched.length }, async (_, i) => (await matched.get(i)).label))

test('classes are matched by name, in any order, and may be some of the model’s', async () => {
  const matched = withLabelsOf(dataset('red', 'blue'), { 0: 'blue', 1: 'green', 2: 'red' }, { model: 'best' })
  expect(await labelsOf(matched)).toEqual([2, 0])
  expect(matched).toMatchObject({ classes: ['blue', 'green', 'red'], labels: [2, 0] })
})

test('a name in another Unicode form is the same name', async () => {
  const id2label = { 0: 'cacao', 1: 'caf\u00e9', 2: 'zebra' }
  expect(await labelsOf(withLabelsOf(dataset('cacao', 'cafe\u0301', 'zebra'), id2label, { model: 'best' }))).toEqual([
    0, 1, 2,
  ])
})

test('names that match in part are refused, naming what differs', () => {
  expect(() => withLabelsOf(dataset('a', 'x', 'z'), { 0: 'x', 1: 'y', 2: 'z' }, { model: 'best' })).toThrow(
    "best does not know 1 of the data's 3 classes: a. It knows 3: x, y, z. Give the classes the model's names, or use --by-position",
  )
})

test('labels matched by position are the user’s own word, for as many classes', async () => {
  const options = { model: 'best', byPosition: true }
  expect(await labelsOf(withLabelsOf(dataset('b', 'a'), { 0: 'a', 1: 'b' }, options))).toEqual([0, 1])
  expect(() => withLabelsOf(dataset('a'), { 0: 'a', 1: 'b' }, options)).toThrow('but the data has 1 and best 2')
})
