/** The distributions from which transforms draw. */
import { expect, test } from 'bun:test'
import { drawRectangle } from '../transforms/geometry/draw-rectangle.ts'
import { drawBeta, drawDirichlet, fillNormal } from './distributions.ts'
import { Random } from './random.ts'

const draws = 6000

test('fillNormal: standard normal, also of an odd number', () => {
  const values = new Float32Array(20_001)
  fillNormal(new Random(4), values)
  expect(Math.abs(mean([...values]))).toBeLessThan(0.024) // 3.4 standard deviations
  expect(Math.abs(mean([...values].map(value => value ** 2)) - 1)).toBeLessThan(0.034)
  expect(Math.abs(mean([...values].map(value => value ** 4)) - 3)).toBeLessThan(0.24)
  expect(values.at(-1)).not.toBe(0)
})

for (const alpha of [0.02, 0.2, 0.8, 1, 3.5])
  test(`drawBeta(${alpha}): its mean and variance`, () => {
    const values = Array.from({ length: draws }, (_, seed) => drawBeta(new Random(seed), alpha))
    expect(values.every(value => value >= 0 && value <= 1)).toBe(true)
    const variance = 1 / (4 * (2 * alpha + 1))
    expect(Math.abs(mean(values) - 0.5)).toBeLessThan(3.4 * Math.sqrt(variance / draws))
    expect(Math.abs(mean(values.map(value => (value - 0.5) ** 2)) / variance - 1)).toBeLessThan(0.07)
    if (alpha === 1) expect(kolmogorov(values, 0, 1)).toBeLessThan(1.95 / Math.sqrt(draws))
  })

test('drawDirichlet: shares of 1, each as large as the others', () => {
  const sums = [0, 0, 0]
  for (let seed = 0; seed < draws; seed++) {
    const shares = drawDirichlet(new Random(seed), 0.5, 3)
    expect(Math.abs(shares.reduce((sum, share) => sum + share, 0) - 1)).toBeLessThan(1e-12)
    for (const [i, share] of shares.entries()) sums[i] = (sums[i] as number) + share / draws
  }
  for (const sum of sums) expect(Math.abs(sum - 1 / 3)).toBeLessThan(0.013)
})

const size = { width: 400, height: 300 }
const ranges = { scale: [0.08, 0.5], ratio: [3 / 4, 4 / 3] } as const

test('drawRectangle: area uniform, logarithm of the shape uniform, every place', () => {
  const drawn = Array.from({ length: 4000 }, (_, seed) => drawRectangle(new Random(seed), size, ranges))
  const found = drawn.filter(rectangle => rectangle !== undefined)
  expect(found.length).toBe(4000)
  const areas = found.map(({ width, height }) => (width * height) / (400 * 300))
  const shapes = found.map(({ width, height }) => Math.log(width / height))
  expect(kolmogorov(areas, 0.08, 0.5)).toBeLessThan(0.031) // 1.95 / √4000, p < 0.001
  expect(kolmogorov(shapes, Math.log(3 / 4), Math.log(4 / 3))).toBeLessThan(0.031)
  const lefts = found.map(({ left, width }) => (left + 0.5) / (400 - width + 1))
  const tops = found.map(({ top, height }) => (top + 0.5) / (300 - height + 1))
  expect(kolmogorov(lefts, 0, 1)).toBeLessThan(0.031)
  expect(kolmogorov(tops, 0, 1)).toBeLessThan(0.031)
})

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

/** The largest distance of the values' distribution from the uniform one. */
function kolmogorov(values: readonly number[], low: number, high: number): number {
  const sorted = values.map(value => (value - low) / (high - low)).sort((a, b) => a - b)
  return Math.max(...sorted.map((value, i) => Math.max(value - i / sorted.length, (i + 1) / sorted.length - value)))
}
