import { expect, test } from 'bun:test'
import { columnWidths, count, duration } from './format.ts'

test('count and duration write numbers for people', () => {
  expect(count(86_567_656)).toBe('86,567,656')
  expect([0, 7.4, 59.6, 140, 3725].map(duration)).toEqual(['0:00', '0:07', '1:00', '2:20', '1:02:05'])
})

test('columnWidths are those of the longest cells', () => {
  const cells = [
    ['a', 'bcd'],
    ['ef', ''],
  ]
  expect(columnWidths(cells)).toEqual([2, 3])
  expect(columnWidths([])).toEqual([])
})
