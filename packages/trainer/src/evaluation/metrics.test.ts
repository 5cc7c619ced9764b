import { describe, expect, test } from 'bun:test'
import { MetricsGatherer } from './metrics.ts'

const add = (gatherer: MetricsGatherer, logits: Float32Array, classes: readonly number[]): void => {
  for (const score of gatherer.scores(logits, { labels: Int32Array.from(classes) })) gatherer.addScore(score)
}

describe('MetricsGatherer', () => {
  test('top-1, top-5, loss and classes, over several batches', () => {
    const gatherer = new MetricsGatherer(['a', 'b', 'c', 'd', 'e', 'f'])
    add(gatherer, Float32Array.of(5, 4, 3, 2, 1, 0, 5, 4, 3, 2, 1, 0), [0, 5]) // best; worst of six
    add(gatherer, Float32Array.of(0, 0, 0, 0, 0, 3), [5])
    const { accuracy, top5, loss, count, perClass } = gatherer.result()
    expect({ accuracy, top5, count }).toEqual({ accuracy: 2 / 3, top5: 2 / 3, count: 3 })
    const logSumExp = Math.log([0, 1, 2, 3, 4, 5].reduce((sum, x) => sum + Math.exp(x), 0))
    expect(loss).toBeCloseTo((logSumExp - 5 + logSumExp + Math.log(5 + Math.exp(3)) - 3) / 3, 6)
    expect(perClass[0]).toEqual({ label: 'a', count: 1, accuracy: 1, precision: 0.5, recall: 1, f1: 2 / 3 })
    expect(perClass[1]).toEqual({ label: 'b', count: 0, accuracy: null, precision: null, recall: null, f1: null })
    expect(perClass[5]).toEqual({ label: 'f', count: 2, accuracy: 0.5, precision: 1, recall: 0.5, f1: 2 / 3 })
  })

  test('top-5 accuracy is null for five classes or fewer', () => {
    const gatherer = new MetricsGatherer(['a', 'b', 'c', 'd', 'e'])
    add(gatherer, Float32Array.of(5, 4, 3, 2, 1), [4])
    expect(gatherer.result()).toMatchObject({ accuracy: 0, top5: null })
  })

  test('the confusion of many classes holds its nonzero cells alone, in memory and in JSON', () => {
    const K = 10_000
    const gatherer = new MetricsGatherer(Array.from({ length: K }, (_, k) => `class ${k}`))
    for (const [is, taken] of [
      [9000, 3],
      [7, 9999],
      [7, 7],
      [9000, 3],
    ] as const) {
      const logits = new Float32Array(K)
      logits[taken] = 9
      add(gatherer, logits, [is])
    }
    const result = gatherer.result()
    expect(result.confusion).toBe(null)
    expect(result.confusionCells).toEqual([
      [7, 7, 1],
      [7, 9999, 1],
      [9000, 3, 2],
    ])
    expect(result.perClass[7]).toMatchObject({ count: 2, recall: 0.5, precision: 1 })
    expect(result.perClass[3]).toMatchObject({ count: 0, recall: null, precision: 0 })
    expect(JSON.stringify(result).length).toBeLessThan(200 * K)
  })

  test('confusion, precision, recall, F1 and calibration are those of loops over all images', () => {
    const K = 4
    const images = Array.from({ length: 300 }, (_, i) => ({
      label: (i * 7) % K,
      logits: Array.from({ length: K }, (_, k) => 2 * Math.sin(i * 3 + k * 5) + (k === (i * 7) % K ? 1 : 0)).map(
        Math.fround,
      ),
    }))
    const gatherer = new MetricsGatherer(['a', 'b', 'c', 'd'])
    for (let i = 0; i < images.length; i += 64) {
      const part = images.slice(i, i + 64)
      add(
        gatherer,
        Float32Array.from(part.flatMap(({ logits }) => logits)),
        part.map(({ label }) => label),
      )
    }
    const judged = images.map(({ label, logits }) => {
      const powers = logits.map(Math.exp)
      const confidence = Math.max(...powers) / powers.reduce((total, power) => total + power, 0)
      return { label, taken: logits.indexOf(Math.max(...logits)), confidence }
    })
    const { confusion, perClass, macroF1, ece, calibration } = gatherer.result()
    const both = (label: number, taken: number) =>
      judged.filter(image => image.label === label && image.taken === taken).length
    let scores = 0
    for (let k = 0; k < K; k++) {
      expect(confusion?.[k]).toEqual([0, 1, 2, 3].map(taken => both(k, taken)))
      const precision = both(k, k) / judged.filter(({ taken }) => taken === k).length
      const recall = both(k, k) / judged.filter(({ label }) => label === k).length
      expect(perClass[k]?.precision).toBeCloseTo(precision, 12)
      expect(perClass[k]?.recall).toBeCloseTo(recall, 12)
      expect(perClass[k]?.f1).toBeCloseTo((2 * precision * recall) / (precision + recall), 12)
      scores += (2 * precision * recall) / (precision + recall) / K
    }
    expect(macroF1).toBeCloseTo(scores, 12)
    let expected = 0
    for (let bin = 0; bin < 15; bin++) {
      const inBin = judged.filter(({ confidence }) => confidence >= bin / 15 && confidence < (bin + 1) / 15)
      expect(calibration[bin]?.count).toBe(inBin.length)
      if (inBin.length === 0) continue
      const right = inBin.filter(({ label, taken }) => label === taken).length / inBin.length
      const sure = inBin.reduce((total, { confidence }) => total + confidence, 0) / inBin.length
      expected += (Math.abs(right - sure) * inBin.length) / judged.length
    }
    expect(expected).toBeGreaterThan(0.01)
    expect(ece).toBeCloseTo(expected, 10)
  })

  test('equal logits count for the first class only, as argmax does', () => {
    const gatherer = new MetricsGatherer(['a', 'b'])
    add(gatherer, Float32Array.of(1, 1, 1, 1), [0, 1])
    expect(gatherer.result().accuracy).toBe(0.5)
  })

  test('logits that are not numbers are never right', () => {
    const gatherer = new MetricsGatherer(['a', 'b'])
    add(gatherer, Float32Array.of(Number.NaN, Number.NaN), [0])
    expect(gatherer.result().accuracy).toBe(0)
  })

  test('large logits do not overflow', () => {
    const gatherer = new MetricsGatherer(['a', 'b'])
    add(gatherer, Float32Array.of(2000, 1000), [1])
    expect(gatherer.result().loss).toBe(1000)
  })

  test('nothing to evaluate is an error', () => {
    expect(() => new MetricsGatherer(['a']).result()).toThrow('no image to evaluate')
  })
})
