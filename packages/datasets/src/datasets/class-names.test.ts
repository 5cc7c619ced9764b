import { expect, test } from 'bun:test'
import { findClass, similarClasses } from './class-names.ts'

const [composed, decomposed] = ['caf\u00e9', 'cafe\u0301']

test('a class is found in another Unicode form, where that leaves no doubt', () => {
  expect(findClass(['tea', composed], decomposed)).toBe(1)
  expect(findClass([composed, decomposed], decomposed)).toBe(1)
  expect(findClass(['Tea'], 'tea')).toBe(-1)
})

test('classes that look alike are named together', () => {
  expect(similarClasses(['Cat', 'cat', 'dog', composed, decomposed])).toEqual([
    ['Cat', 'cat'],
    [composed, decomposed],
  ])
})
