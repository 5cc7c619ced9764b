import { expect, test } from 'bun:test'
import { columnWidths, count, duration, percent } from './format.ts'

test('percent, count and duration write numbers for people', () => {
  expect([percent(0.6125), percent(0.5, 0), count(86_567_656)]).toEqual(['61.25%', '50%', '86,567,656'])
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
