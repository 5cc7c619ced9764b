import { expect, test } from 'bun:test'
import { maxDifference, quantile } from './statistics.ts'

test('the largest difference; another length or a NaN is no agreement', () => {
  expect(maxDifference([1, 2, 3], [1, 2.5, 2.75])).toBe(0.5)
  expect(maxDifference([1], [1, 2])).toBe(Number.POSITIVE_INFINITY)
  expect(maxDifference([Number.NaN], [1])).toBe(Number.POSITIVE_INFINITY)
})

test('a quantile is a value that was measured', () => {
  const values = Array.from({ length: 200 }, (_, i) => 200 - i)
  expect([quantile(values, 0.99), quantile(values, 0.5), quantile(values, 1)]).toEqual([198, 100, 200])
  expect(quantile([7], 0.99)).toBe(7)
  expect(quantile([], 0.5)).toBeNaN()
})
