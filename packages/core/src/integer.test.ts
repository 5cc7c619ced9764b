import { expect, test } from 'bun:test'
import { checkInteger, isInteger } from './integer.ts'

test('isInteger knows whole numbers within a range', () => {
  for (const value of [0, -3, 2 ** 60]) expect(isInteger(value)).toBe(true)
  for (const value of [0.5, NaN, Infinity, '1', undefined, null, 1n]) expect(isInteger(value)).toBe(false)
  expect([1, 2, 3, 4].map(value => isInteger(value, 2, 3))).toEqual([false, true, true, false])
})

test.each([
  [[4, 0, 3], 'f: x is 4; expected a whole number from 0 to 3.'],
  [[0, 1], 'f: x is 0; expected a positive whole number.'],
  [[-1, 0], 'f: x is -1; expected a whole number, 0 or more.'],
  [[2.5], 'f: x is 2.5; expected a whole number.'],
] as const)('checkInteger refuses %p', ([value, least, most], message) => {
  expect(() => checkInteger('f', 'x', value, least, most)).toThrow(message)
})
