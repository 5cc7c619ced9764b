import { expect, test } from 'bun:test'
import { describeModel } from './describe-model.ts'

const processor = { channels: 3, resize: { size: [16, 16], interpolation: 'bilinear' } } as const
const rest = { backend: 'cpu', precision: 'float32', version: '' } as const
const config = (numLabels: number, id2label: Record<number, string> = {}) =>
  ({ numLabels, id2label, imageSize: 16, numChannels: 3, hiddenSize: 8, problemType: null }) as never

test('describeModel lists the labels of config.json in the order of the logits', () => {
  expect(describeModel(config(2, { 0: 'cat', 1: 'dog' }), processor, rest).labels).toEqual(['cat', 'dog'])
  expect(describeModel(config(2, { 1: 'dog' }), processor, rest).labels).toEqual(['LABEL_0', 'dog'])
})

test('describeModel limits the number of classes and the length of their names', () => {
  expect(describeModel(config(100_000), processor, rest).labels).toHaveLength(100_000)
  expect(() => describeModel(config(100_001), processor, rest)).toThrow('100001 classes; at most 100000 are served.')
  expect(() => describeModel(config(1, { 0: 'x'.repeat(5_000_000) }), processor, rest)).toThrow(
    'have 5000000 characters; at most 4194304 are served.',
  )
})
