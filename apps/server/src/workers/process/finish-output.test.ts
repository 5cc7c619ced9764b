import { expect, test } from 'bun:test'
import { finishOutput } from './finish-output.ts'

const output = {
  logits: Float32Array.of(1, 3, 2),
  features: Float32Array.of(7),
  attention: { height: 1, width: 1, values: Float32Array.of(1) },
}
const softmax = { scoring: 'softmax' } as const

test('finishOutput returns the outputs of the task', () => {
  const { logits, features, attention } = output
  expect(finishOutput(output, { task: 'classify' }, softmax)).toEqual({ logits })
  expect(finishOutput(output, { task: 'embed' }, softmax)).toEqual({ features })
  expect(finishOutput(output, { task: 'classify-and-embed' }, softmax)).toEqual({ logits, features })
  expect(finishOutput(output, { task: 'explain' }, softmax)).toEqual({ logits, attention })
})

test('finishOutput replaces logits by the best classes, by the model’s scoring or another', () => {
  const best = (scoring: 'softmax' | 'sigmoid' | 'none', logits: Float32Array, other?: 'none') => {
    const finished = finishOutput({ logits }, { task: 'classify', best: { count: 2, scoring: other } }, { scoring })
    expect(finished?.logits).toBeUndefined()
    return [[...(finished?.best?.indices ?? [])], [...(finished?.best?.scores ?? [])]]
  }
  expect(best('softmax', Float32Array.of(0, 1000, 0))).toEqual([
    [1, 0],
    [1, 0],
  ])
  expect(best('sigmoid', Float32Array.of(0))).toEqual([[0], [0.5]])
  expect(best('none', Float32Array.of(1, -4, 3))).toEqual([
    [2, 0],
    [3, 1],
  ])
  expect(best('softmax', Float32Array.of(1, -4, 3), 'none')).toEqual([
    [2, 0],
    [3, 1],
  ])
})

test('finishOutput checks only the requested values for non-finite ones', () => {
  for (const wrong of [Number.NaN, Infinity, -Infinity]) {
    const features = Float32Array.of(0, wrong)
    expect(finishOutput({ ...output, features }, { task: 'embed' }, softmax)).toBeNull()
    expect(finishOutput({ ...output, features }, { task: 'classify' }, softmax)).toEqual({ logits: output.logits })
    const logits = Float32Array.of(wrong, 0)
    expect(finishOutput({ logits }, { task: 'classify', best: { count: 1 } }, softmax)).toBeNull()
  }
})
