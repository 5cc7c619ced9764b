import { expect, test } from 'bun:test'
import { didYouMean } from './did-you-mean.ts'

test.each([
  ['trian', " Did you mean 'train'?"],
  ['evel', " Did you mean 'eval'?"],
  ['predictt', " Did you mean 'predict'?"],
  ['photograph', ''],
  ['x', ''],
  ['', ''],
])('didYouMean(%j) is %j', (given, expected) => {
  expect(didYouMean(given, ['train', 'eval', 'predict', 'export'])).toBe(expected)
})
