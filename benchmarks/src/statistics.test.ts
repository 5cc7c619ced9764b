import { expect, test } from 'bun:test'
import { maxDifference, median } from './statistics.ts'

test('the median is the middle value, or the mean of two', () => {
  expect(median([3, 1, 20])).toBe(3)
  expect(median([4, 1, 2, 100])).toBe(3)
})

test('the largest difference; another length or a NaN is no agreement', () => {
  expect(maxDifference([1, 2, 3], [1, 2.5, 2.75])).toBe(0.5)
  expect(maxDifference([1], [1, 2])).toBe(Number.POSITIVE_INFINITY)
  expect(maxDifference([Number.NaN], [1])).toBe(Number.POSITIVE_INFINITY)
})
