import { describe, expect, test } from 'bun:test'
import { MetricsGatherer } from './metrics.ts'

describe('MetricsGatherer', () => {
  test('top-1, top-5, loss and classes, over several batches', () => {
    const gatherer = new MetricsGatherer(['a', 'b', 'c', 'd', 'e', 'f'])
    gatherer.add(Float32Array.of(5, 4, 3, 2, 1, 0, 5, 4, 3, 2, 1, 0), [0, 5]) // best; worst of six
    gatherer.add(Float32Array.of(0, 0, 0, 0, 0, 3), [5])
    const { accuracy, top5, loss, count, perClass } = gatherer.result()
    expect({ accuracy, top5, count }).toEqual({ accuracy: 2 / 3, top5: 2 / 3, count: 3 })
    const logSumExp = Math.log([0, 1, 2, 3, 4, 5].reduce((sum, x) => sum + Math.exp(x), 0))
    expect(loss).toBeCloseTo((logSumExp - 5 + logSumExp + Math.log(5 + Math.exp(3)) - 3) / 3, 6)
    expect(perClass[0]).toEqual({ label: 'a', count: 1, accuracy: 1 })
    expect(perClass[1]).toEqual({ label: 'b', count: 0, accuracy: null })
    expect(perClass[5]).toEqual({ label: 'f', count: 2, accuracy: 0.5 })
  })

  test('equal logits count for the first class only, as argmax does', () => {
    const gatherer = new MetricsGatherer(['a', 'b'])
    gatherer.add(Float32Array.of(1, 1, 1, 1), [0, 1])
    expect(gatherer.result().accuracy).toBe(0.5)
  })

  test('logits that are not numbers are never right', () => {
    const gatherer = new MetricsGatherer(['a', 'b'])
    gatherer.add(Float32Array.of(Number.NaN, Number.NaN), [0])
    expect(gatherer.result().accuracy).toBe(0)
  })

  test('large logits do not overflow', () => {
    const gatherer = new MetricsGatherer(['a', 'b'])
    gatherer.add(Float32Array.of(2000, 1000), [1])
    expect(gatherer.result().loss).toBe(1000)
  })

  test('nothing to evaluate is an error', () => {
    expect(() => new MetricsGatherer(['a']).result()).toThrow('no image to evaluate')
  })
})
