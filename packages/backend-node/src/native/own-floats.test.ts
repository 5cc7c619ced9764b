/** The native backend lets others write into a tensor's memory, unless it is shared. */
import { expect, test } from 'bun:test'
import { clone, memory, type Tensor, type Tensor4D, zeros } from '@tensorflow/tfjs-core'
import { useBackend, ViTForImageClassification } from '@vitral/core'
import { ownFloats } from '@vitral/core/tape'
import { filled } from '../../../core/src/tape/own-floats.ts'

test('what is written there is the tensor’s; memory that tensors share is not given', async () => {
  await useBackend('native')
  const x = zeros([2, 3])
  ownFloats(x)?.set([1, 2, 3, 4, 5, 6])
  expect([...x.dataSync()]).toEqual([1, 2, 3, 4, 5, 6])
  const copy = clone(x)
  expect(ownFloats(x)).toBeUndefined()
  copy.dispose()
  expect(ownFloats(x)?.length).toBe(6)
  x.dispose()
})

test('the gradients of weights have memory of their own when they are final', async () => {
  await useBackend('native')
  const model = new ViTForImageClassification({
    ...{ imageSize: 8, patchSize: 4, hiddenSize: 8, numHiddenLayers: 2, numAttentionHeads: 2, intermediateSize: 16 },
    numLabels: 3,
  })
  const shared: string[] = []
  const onGradient = (name: string, gradient: Tensor): void => {
    if (name.endsWith('weight') && !ownFloats(gradient)) shared.push(name)
  }
  const { loss, logits, grads } = model.valueAndGrads(zeros([2, 3, 8, 8]) as Tensor4D, [0, 1], { onGradient })
  expect(shared).toEqual([])
  for (const tensor of [loss, logits, ...Object.values(grads)]) tensor.dispose()
  model.dispose()
  await useBackend('cpu')
  expect(ownFloats(zeros([2]))).toBeUndefined()
})

test('a tensor that is filled in its own memory is one tensor, and none where filling fails', async () => {
  for (const backend of ['native', 'cpu'] as const) {
    await useBackend(backend)
    const before = memory().numTensors
    const x = filled([2, 2], values => values.set([1, 2, 3, 4]))
    expect([...x.dataSync()]).toEqual([1, 2, 3, 4])
    expect(x.shape).toEqual([2, 2])
    expect(memory().numTensors).toBe(before + 1)
    x.dispose()
    const fail = () => {
      throw new Error('no values')
    }
    expect(() => filled([2, 2], fail)).toThrow('no values')
    expect(memory().numTensors).toBe(before)
  }
})
