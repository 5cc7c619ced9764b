import { expect, test } from 'bun:test'
import { greatest, least, parseInteger } from './numbers.ts'

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

test('parseInteger reads whole numbers within the limits, and says what it was given', () => {
  expect([parseInteger('--steps', '12', 10), parseInteger('RANK', ' 1 ', 0, 1)]).toEqual([12, 1])
  const read = (text?: string, most?: number) => () => parseInteger('RANK', text, 0, most)
  expect(read('1.5')).toThrow("RANK is '1.5'; expected a whole number of at least 0.")
  expect(read('2', 1)).toThrow("RANK is '2'; expected a whole number from 0 to 1.")
  expect(read(' ')).toThrow("RANK is ' '; expected a whole number of at least 0.")
  expect(read()).toThrow('RANK is not set; expected a whole number of at least 0.')
})
