import { expect, test } from 'bun:test'
import type { Scoring } from '@vitral/core/scores'
import { createFormat, type FormatName, type ImageResult } from './formats.ts'

const results: ImageResult[] = [
  { image: 'a.png', predictions: [{ label: 'cat, "tabby"', score: 0.75 }] },
  { image: 'b\n.png', predictions: [{ label: '\u001b]0;owned\u0007\u009b2J', score: 0.5 }] },
]

function written(name: FormatName, list: readonly ImageResult[] = results, scoring: Scoring = 'softmax'): string {
  const { begin, result, end } = createFormat(name, scoring)
  return begin + list.map(result).join('') + end
}

test('text has a line for each image and class, shares in percent and values as they are', () => {
  expect(written('text')).toBe('a.png\n   75.00%  cat, "tabby"\nb\\n.png\n   50.00%  \\u001b]0;owned\\u0007\\u009b2J\n')
  const regression = [{ image: 'a.png', predictions: [{ label: 'age', score: -41.25 }] }]
  expect(written('text', regression, 'none')).toBe('a.png\n  -41.2500  age\n')
})

test('JSON and JSON lines read back the same, without a control character but line ends', () => {
  expect(JSON.parse(written('json'))).toEqual(results)
  expect(written('json', [])).toBe('[]\n')
  const lines = written('jsonl').trimEnd().split('\n')
  expect(lines.map(line => JSON.parse(line))).toEqual(results)
  for (const name of ['json', 'jsonl', 'csv', 'text'] as const) expect(written(name)).not.toMatch(/[^\P{Cc}\n]/u)
})

test('CSV has one header, a row for each class, and quotes', () => {
  expect(written('csv')).toBe(
    'image,label,score\na.png,"cat, ""tabby""",0.75\nb\\n.png,\\u001b]0;owned\\u0007\\u009b2J,0.5\n',
  )
  const features = [
    { image: 'a.png', features: [1, -0.5] },
    { image: 'b.png', features: [2, 0] },
  ]
  expect(written('csv', features)).toBe('image,feature_0,feature_1\na.png,1,-0.5\nb.png,2,0\n')
})
