import { describe, expect, test } from 'bun:test'
import { scores, scoringOf, topClasses } from './scores.ts'

const logits = Float32Array.of(0.5, -1, 2)
const sigmoids = [0.5, -1, 2].map(x => 1 / (1 + Math.exp(-x)))
const close = (values: Float32Array, expected: readonly number[]) => {
  expect(values.length).toBe(expected.length)
  for (const [i, value] of expected.entries()) expect(values[i]).toBeCloseTo(value, 6)
}

describe('scores', () => {
  test('one label has the sigmoid of its logit, as in transformers, not always 1', () => {
    for (const problemType of [null, 'single_label_classification'] as const)
      close(scores(Float32Array.of(-0.3), { problemType, numLabels: 1 }), [1 / (1 + Math.exp(0.3))])
  })

  test('several labels have softmax, also of logits whose powers overflow', () => {
    close(scores(logits, { problemType: null, numLabels: 3 }), [0.1752904, 0.0391126, 0.785597])
    close(scores(Float32Array.of(1000, 1000), { problemType: null, numLabels: 2 }), [0.5, 0.5])
  })

  test('multi-label models have a sigmoid for each class', () =>
    close(scores(logits, { problemType: 'multi_label_classification', numLabels: 3 }), sigmoids))

  test('regression has the values themselves, also of one label, in an array of its own', () => {
    close(scores(Float32Array.of(-7), { problemType: 'regression', numLabels: 1 }), [-7])
    const values = scores(logits, { problemType: 'regression', numLabels: 3 })
    close(values, [0.5, -1, 2])
    expect(values).not.toBe(logits)
  })

  test('another scoring than the configuration’s can be asked for', () =>
    close(scores(logits, { problemType: null, numLabels: 3 }, 'sigmoid'), sigmoids))

  test('logits that are no finite numbers are refused in every scoring, naming the first', () => {
    for (const scoring of ['softmax', 'sigmoid', 'none'] as const)
      for (const value of [Number.NaN, Infinity, -Infinity])
        expect(() => scores(Float32Array.of(0, value), { problemType: null, numLabels: 2 }, scoring)).toThrow(
          `logits[1] is ${value}; expected finite numbers`,
        )
  })

  test('scoringOf names the function', () => {
    expect(scoringOf({ problemType: null, numLabels: 1 })).toBe('sigmoid')
    expect(scoringOf({ problemType: null, numLabels: 2 })).toBe('softmax')
  })
})

describe('topClasses', () => {
  test('gives the best first, and equal ones in their order', () => {
    expect(topClasses(Float32Array.of(0.1, 0.3, 0.3, 0.2, 0.3), 2)).toEqual([1, 2])
    expect(topClasses(Float32Array.of(0.1, 0.3, 0.2, 0.3, 0.2), 4)).toEqual([1, 3, 2, 4])
  })

  test('gives all where more are asked for, and negative scores too', () => {
    expect(topClasses(Float32Array.of(-2, -1), 5)).toEqual([1, 0])
    expect(topClasses(new Float32Array(), 5)).toEqual([])
    expect(topClasses(Float32Array.of(1), 0)).toEqual([])
  })

  test('agrees with a stable sort', () => {
    const values = Float32Array.from({ length: 500 }, (_, i) => (i * 7919) % 97)
    const sorted = Array.from(values.keys()).sort((a, b) => (values[b] as number) - (values[a] as number) || a - b)
    for (const count of [1, 5, 96, 250, 500]) expect(topClasses(values, count)).toEqual(sorted.slice(0, count))
  })
})
