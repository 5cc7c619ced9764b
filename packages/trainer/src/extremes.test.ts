import { expect, test } from 'bun:test'
import { columnWidths, greatest, least } from './extremes.ts'

test('greatest and least take a million values, which as arguments overflow the stack', () => {
  const values = Float64Array.from({ length: 1_000_000 }, (_, i) => Math.abs(i - 400_000))
  expect(() => Math.max(...values)).toThrow(RangeError)
  expect(greatest(values)).toBe(599_999)
  expect(least(values)).toBe(0)
})

test('greatest returns where it starts unless a value is greater', () => {
  expect(greatest([], 3)).toBe(3)
  expect(greatest([1, 2], 3)).toBe(3)
})

test('columnWidths are those of the longest cells', () => {
  const cells = [
    ['a', 'bcd'],
    ['ef', ''],
  ]
  expect(columnWidths(cells)).toEqual([2, 3])
  expect(columnWidths([])).toEqual([])
})
