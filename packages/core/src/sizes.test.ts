import { expect, test } from 'bun:test'
import { elementsOf } from './sizes.ts'

test('elementsOf multiplies sizes', () => {
  expect(elementsOf([])).toBe(1)
  expect(elementsOf([2, 3, 224, 224])).toBe(301_056)
  expect(elementsOf([0, 5])).toBe(0)
})

test('elementsOf refuses what is no size and what is too large, also beside an empty size', () => {
  expect(() => elementsOf([2 ** 27, 2 ** 27])).toThrow('The shape [134217728, 134217728] is too large')
  expect(() => elementsOf([0, 2 ** 40, 2 ** 40])).toThrow('is too large')
  expect(() => elementsOf([2, -1])).toThrow('has the size -1; expected whole numbers of 0 or more.')
  expect(() => elementsOf([0.5])).toThrow('has the size 0.5')
  expect(() => elementsOf([Number.NaN])).toThrow('has the size NaN')
})
