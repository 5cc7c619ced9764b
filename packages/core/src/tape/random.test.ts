import { expect, test } from 'bun:test'
import { bits, keep } from '../conformance/random.ts'
import { deriveSeed, keepMask, normalStream, randomBits } from './random.ts'

test('randomBits gives known bits', () => {
  const known: [seed: number, index: number, bits: number][] = [
    [0, 0, 1577407715],
    [0, 1, 2042125553],
    [1, 0, 2111251798],
    [4711, 12345, 1326462442],
    [2 ** 31, 2 ** 31, 2856051788],
    [2 ** 32 - 1, 2 ** 32 - 1, 829190436],
    [7, 2 ** 32 - 2, 2123923207],
  ]
  for (const [seed, index, expected] of known) expect(randomBits(seed, index)).toBe(expected)
})

test('randomBits follows the exact integer definition', () => {
  for (const seed of [0, 1, 4711, 2 ** 31, 2 ** 32 - 1])
    for (const start of [0, 2 ** 31 - 100, 2 ** 32 - 100])
      for (let index = start; index < start + 200; index++) expect(randomBits(seed, index)).toBe(bits(seed, index))
  expect(keepMask(9, 0.3, 50)).toEqual(Float32Array.from({ length: 50 }, (_, i) => keep(9, i, 0.3)))
})

test('randomBits sets every bit half the time, and neighbours agree no more than chance', () => {
  const count = 20_000
  const slack = 5 * Math.sqrt(count / 4) // five standard deviations
  const values = Array.from({ length: count }, (_, i) => randomBits(3, i))
  for (let bit = 0; bit < 32; bit++) {
    const set = values.filter(value => (value >>> bit) & 1).length
    const equal = values.filter((value, i) => ((value ^ (values[i + 1] ?? 0)) >>> bit) & 1).length
    expect(Math.abs(set - count / 2)).toBeLessThan(slack)
    expect(Math.abs(equal - count / 2)).toBeLessThan(slack)
  }
})

test('deriveSeed differs by place and by parent', () => {
  const seeds = [deriveSeed(1, 0), deriveSeed(1, 1), deriveSeed(2, 0), deriveSeed(1, 0, 0), deriveSeed(1)]
  expect(new Set(seeds).size).toBe(seeds.length)
  expect(deriveSeed(1, 2, 3)).toBe(deriveSeed(deriveSeed(1, 2), 3))
})

test('normalStream has mean 0, deviation 1 and a normal tail', () => {
  const next = normalStream(5)
  const values = Array.from({ length: 50_000 }, next)
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const variance = values.reduce((sum, value) => sum + value ** 2, 0) / values.length - mean ** 2
  const beyondTwo = values.filter(value => Math.abs(value) > 2).length / values.length
  expect(Math.abs(mean)).toBeLessThan(5 / Math.sqrt(values.length))
  expect(Math.abs(variance - 1)).toBeLessThan(5 * Math.sqrt(2 / values.length))
  expect(Math.abs(beyondTwo - 0.0455)).toBeLessThan(5 * Math.sqrt(0.0455 / values.length))
})
