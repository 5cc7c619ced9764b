import { expect, test } from 'bun:test'
import { checkInteger, isInteger } from './check.ts'

test('isInteger knows whole numbers within its limits', () => {
  for (const value of [0, -3, 2 ** 60]) expect(isInteger(value)).toBe(true)
  for (const value of [0.5, NaN, Infinity, '1', undefined, null, 1n]) expect(isInteger(value)).toBe(false)
  expect([1, 2, 3, 4].map(value => isInteger(value, 2, 3))).toEqual([false, true, true, false])
})

test('checkInteger accepts whole numbers within its limits', () => {
  checkInteger('count', -3)
  checkInteger('count', 1, 1)
  checkInteger('count', 2 ** 40, 1)
  checkInteger('count', 5, 1, 5)
})

test('checkInteger says what was given and what was expected', () => {
  expect(() => checkInteger('count', 0.5)).toThrow('count is 0.5; expected a whole number.')
  expect(() => checkInteger('count', Infinity)).toThrow('count is Infinity; expected a whole number.')
  expect(() => checkInteger('count', Number.NaN, 0)).toThrow('count is NaN; expected a whole number of at least 0.')
  expect(() => checkInteger('count', 6, 1, 5)).toThrow('count is 6; expected a whole number from 1 to 5.')
  expect(() => checkInteger('count', '3' as never)).toThrow('count is 3; expected a whole number.')
})
