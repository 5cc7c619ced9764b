/** What is said of a data set before it is used, and what training refuses. */
import { expect, test } from 'bun:test'
import type { Dataset } from '@vitral/datasets'
import { checkClasses, describeUnderstood } from './data-summary.ts'

const dataset = (classes: string[], labels: number[], more: Partial<Dataset> = {}): Dataset => ({
  ...{ length: labels.length, classes, labels },
  get: () => Promise.reject(new Error('not read')),
  ...more,
})
const refusal = (classes: string[], labels: number[], more?: Partial<Dataset>): string => {
  try {
    checkClasses(dataset(classes, labels, more))
    return 'none'
  } catch (error) {
    return (error as Error).message
  }
}

test('classes, images of each part, and what is left out by reason', () => {
  const leftOut = [
    { path: 'a/1.heic', reason: 'no images that are read, by their extension .heic' },
    { path: 'a/2.heic', reason: 'no images that are read, by their extension .heic' },
    { path: 'a/.x', reason: 'hidden, or left there by a system' },
  ]
  const train = dataset(['a', 'b', 'C\u001b[2J'], [0, 1, 1], { leftOut })
  const test = dataset(train.classes as string[], [0], { leftOut: leftOut.slice(2) })
  expect(
    describeUnderstood([
      { name: 'train', dataset: train },
      { name: 'test', dataset: test },
    ]),
  ).toEqual([
    '3 classes: a, b, C\\u001b[2J',
    'Images: 3 train, 1 test',
    'Classes without an image in train: 1, C\\u001b[2J',
    'Left out: 2, no images that are read, by their extension .heic; the first is a/1.heic',
    'Left out: 1, hidden, or left there by a system: a/.x',
  ])
})

test('many classes are cut, and those that look alike are named', () => {
  const names = Array.from({ length: 12 }, (_, i) => `class ${i}`)
  const labels = names.map((_, i) => i)
  expect(describeUnderstood([{ name: 'all', dataset: dataset(names, labels) }])[0]).toBe(
    `12 classes: ${names.slice(0, 10).join(', ')} and 2 more`,
  )
  const [, , line] = describeUnderstood([{ name: 'all', dataset: dataset(['Cat', 'cat', 'dog'], [0, 1, 2]) }])
  expect(line).toBe('Classes whose names differ in letter case or Unicode form alone: Cat, cat; are they one?')
})

test('training refuses what has nothing to tell apart', () => {
  expect(refusal(['cat'], [0, 0])).toBe(
    'All training images are of one class, cat. A model has nothing to tell apart; expected images of two classes at least, in folders or with labels of their own.',
  )
  expect(refusal(['cat', 'dog'], [1, 1])).toContain('All training images are of one class, dog; without an image: cat.')
  expect(refusal(['caf\u00e9', 'cafe\u0301'], [0, 1])).toContain(
    'whose names differ in letter case or Unicode form alone',
  )
  expect(refusal(['Cat', 'cat', 'dog'], [0, 1, 2])).toBe('none')
  expect(refusal(['cat'], [0], { multiLabel: true })).toBe('none')
  expect(refusal(['cat', 'dog'], [0], { labels: undefined })).toBe('none')
})
