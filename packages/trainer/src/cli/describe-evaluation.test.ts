import { describe, expect, test } from 'bun:test'
import type { Evaluation } from '../evaluation/evaluate.ts'
import { MetricsGatherer } from '../evaluation/metrics.ts'
import { describeEvaluation } from './describe-evaluation.ts'

/** An evaluation of one image of each class, the first class taken for the second. */
function evaluationOf(labels: readonly string[]): Evaluation {
  const gatherer = new MetricsGatherer(labels)
  for (let target = 0; target < labels.length; target++) {
    const logits = new Float32Array(labels.length)
    logits[target === 0 ? 1 : target] = 9
    for (const score of gatherer.scores(logits, { labels: Int32Array.of(target) })) gatherer.addScore(score)
  }
  return { ...gatherer.result(), seconds: 1, imagesPerSecond: labels.length }
}

describe('describeEvaluation', () => {
  test('shows a confusion matrix, a row and a column for each class', () => {
    const lines = describeEvaluation(evaluationOf(['cat', 'dog', 'newt']), true).split('\n')
    expect(lines.slice(-4)).toEqual([
      '  is, taken for →   1   2   3',
      '    1 cat           0   1   0',
      '    2 dog           0   1   0',
      '    3 newt          0   0   1',
    ])
  })

  test('tells the most frequent confusions of a thousand classes, whose matrix has a million cells', () => {
    const labels = Array.from({ length: 1000 }, (_, i) => `class ${i}`)
    const lines = describeEvaluation(evaluationOf(labels), true).split('\n')
    expect(lines.slice(-2)).toEqual(['most frequent confusions of 1000 classes:', '      1  class 0 taken for class 1'])
    expect(lines).toHaveLength(2 + 1000 + 1 + 2)
  })

  test('writes control characters of class names out', () => {
    const text = describeEvaluation(evaluationOf(['\u001b]0;owned\u0007cat', 'dog\naccuracy 100.00%']), true)
    expect(text).not.toMatch(/[^\P{Cc}\n]/u)
    expect(text).toContain('\\u001b]0;owned\\u0007cat')
    expect(text).toContain('dog\\naccuracy 100.00%')
  })
})
