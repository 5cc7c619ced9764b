/** The range test: what it suggests for curves that are known, and that it leaves nothing behind. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memory } from '@tensorflow/tfjs-core'
import { useBackend } from '@vitral/core'
import { deriveSeed } from '@vitral/core/tape'
import { writeTinyCifar } from '../../test/tiny-cifar.ts'
import { defineRecipe } from '../recipe/recipe.ts'
import { lrFind } from './lr-find.ts'
import { plotRates } from './plot.ts'
import { smoothCurve, suggestRate } from './suggest-rate.ts'

describe('suggestRate', () => {
  const rates = Array.from({ length: 100 }, (_, i) => 10 ** (-7 + (8 * i) / 99))
  const suggest = (loss: (lr: number, i: number) => number) => {
    const points = rates.map((lr, i) => ({ lr, loss: loss(lr, i) }))
    return suggestRate(smoothCurve(points, 8), 8)
  }
  /** Falls by 1 around `fall`, most steeply there, and grows again around `rise`. */
  const valley = (fall: number, rise: number) => (lr: number) =>
    2.3 - 1 / (1 + (fall / lr) ** 2) + 5 / (1 + (rise / lr) ** 4)

  test.each([1e-5, 1e-4, 1e-3])('finds the steepest descent at %f', fall => {
    const found = suggest(valley(fall, 3))
    expect((found?.steepest as number) / fall).toBeWithin(0.8, 1.25)
    expect((found?.minimumTenth as number) * 10).toBeWithin(fall * 3, 3)
  })

  test('finds it among the noise of small batches', () => {
    for (let seed = 0; seed < 20; seed++) {
      const noise = (i: number) => (deriveSeed(seed, i) / 2 ** 32 - 0.5) * 0.3
      const found = suggest((lr, i) => valley(1e-3, 3)(lr) + noise(i))
      expect((found?.steepest as number) / 1e-3).toBeWithin(1 / 6, 6)
    }
  })

  test('suggests nothing when the loss does not fall', () => {
    expect(suggest(() => 2.3)).toBeUndefined()
    expect(suggest((_, i) => i)).toBeUndefined()
    expect(suggestRate([], 8)).toBeUndefined()
  })

  test('the smooth curve of a line is the line', () => {
    const points = rates.map((lr, i) => ({ lr, loss: i / 99 }))
    for (const [i, { smoothLoss, slope }] of smoothCurve(points, 8).entries()) {
      if (i >= 8 && i < 92) expect(smoothLoss).toBeCloseTo(i / 99, 10)
      expect(slope).toBeCloseTo(1 / 8, 10) // eight powers of ten
    }
  })
})

describe('lrFind', () => {
  const data = mkdtempSync(join(tmpdir(), 'vitral-lr-find-'))
  const recipe = defineRecipe({
    model: { config: { imageSize: 32, patchSize: 16, hiddenSize: 8, numHiddenLayers: 1, numAttentionHeads: 2 } },
    dataset: 'cifar10',
    transforms: 'cifar-32',
    batchSize: 16,
    epochs: 1,
    optimizer: { name: 'sgd' },
  })

  beforeAll(async () => {
    writeTinyCifar(data)
    await useBackend('cpu')
  })
  afterAll(() => rmSync(data, { recursive: true }))

  test('lrFind raises the rate by equal factors, over as many epochs as it takes, and frees what it made', async () => {
    const before = { tensors: memory().numTensors, files: readdirSync(data, { recursive: true }) }
    const steps: number[] = []
    const { points, diverged } = await lrFind({
      ...{ recipe, data, from: 1e-6, to: 1e-2, steps: 13 },
      onStep: step => steps.push(step),
    })
    expect(points.map(({ lr }) => Math.round(Math.log10(lr) * 3))).toEqual([
      ...[-18, -17, -16, -15, -14, -13, -12, -11, -10, -9, -8, -7, -6],
    ])
    expect({ steps: steps.at(-1), diverged }).toEqual({ steps: 13, diverged: false })
    for (const { loss } of points) expect(loss).toBeGreaterThan(1)
    expect({ tensors: memory().numTensors, files: readdirSync(data, { recursive: true }) }).toEqual(before)
  })

  test('lrFind gives the same numbers again', async () => {
    const options = { recipe, data, steps: 12 }
    expect(await lrFind(options)).toEqual(await lrFind(options))
  })

  test('lrFind stops where the loss diverges or is no number any more', async () => {
    const before = memory().numTensors
    const { points, diverged } = await lrFind({ recipe, data, from: 1e-3, to: 1e30, steps: 40 })
    expect(diverged).toBe(true)
    expect(points.length).toBeLessThan(40)
    const overflow = await lrFind({ recipe, data, from: 1e37, to: 1e38, steps: 10 })
    expect(overflow).toMatchObject({ diverged: true, suggestion: undefined })
    for (const { loss } of overflow.points) expect(loss).toBeFinite()
    expect(memory().numTensors).toBe(before)
  })

  test('lrFind stops by its signal', async () => {
    const controller = new AbortController()
    const onStep = (step: number) => {
      if (step === 3) controller.abort()
    }
    const { points } = await lrFind({ recipe, data, signal: controller.signal, onStep })
    expect(points).toHaveLength(3)
  })

  test('refuses bounds that are none, before it opens anything', async () => {
    const nowhere = { recipe, data: 'nowhere' }
    await expect(lrFind({ ...nowhere, from: 0 })).rejects.toThrow('The first learning rate is 0; expected a number')
    await expect(lrFind({ ...nowhere, to: 1e-9 })).rejects.toThrow('The last learning rate is 1e-9; expected a number')
    await expect(lrFind({ ...nowhere, steps: 9 })).rejects.toThrow(
      'lrFind: steps is 9; expected a whole number of at least 10.',
    )
  })
})

test('the plot is well-formed, also of next to nothing', () => {
  const points = smoothCurve([1, 2, 3, 4].map(i => ({ lr: 10 ** -i, loss: i })).reverse(), 1)
  for (const result of [
    { points, suggestion: { steepest: 1e-3, minimumTenth: 1e-4 }, diverged: false },
    { points: points.slice(0, 1), diverged: true },
  ]) {
    const svg = plotRates(result)
    expect(svg).not.toMatch(/NaN|Infinity|undefined/)
    expect(svg.match(/<(path|line|text|g|svg|style|clipPath|rect)\b/g)?.length).toBe(
      svg.match(/<\/(text|g|svg|style|clipPath)>|\/>/g)?.length as number,
    )
    expect(svg.includes('steepest: 1.0e-3')).toBe('suggestion' in result)
  }
})
