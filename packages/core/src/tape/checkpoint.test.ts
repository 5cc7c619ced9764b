import { beforeAll, expect, test } from 'bun:test'
import {
  memory,
  mul,
  randomNormal,
  square,
  sum,
  type Tensor,
  type Tensor4D,
  tensor1d,
  tidy,
  variable,
} from '@tensorflow/tfjs-core'
import { useBackend } from '../backend.ts'
import { ViTForImageClassification } from '../vit/classifier.ts'
import { checkpoint } from './checkpoint.ts'
import { valueAndGrads } from './value-and-grads.ts'

beforeAll(() => useBackend('cpu'))

test('checkpoint gives the value and gradients of the function, and runs it once more', () => {
  const [x, w] = [tensor1d([1, 2, 3]), variable(tensor1d([4, 5, 6]))]
  let runs = 0
  const f = (input: Tensor) => {
    runs++
    return square(mul(input, w))
  }
  const { value, grads } = valueAndGrads(() => sum(checkpoint(f, x as Tensor, [w])), [x, w])
  expect(runs).toBe(2)
  expect([...value.dataSync()]).toEqual([16 + 100 + 324])
  expect(grads.map(grad => [...grad.dataSync()])).toEqual([
    [32, 100, 216],
    [8, 40, 108],
  ])
  expect([...checkpoint(f, x as Tensor, [w]).dataSync()]).toEqual([16, 100, 324])
  expect(runs).toBe(3)
})

const config = {
  ...{ hiddenSize: 16, numHiddenLayers: 3, numAttentionHeads: 2, intermediateSize: 32, imageSize: 16, patchSize: 4 },
  ...{ numLabels: 5, hiddenDropoutProb: 0.2, attentionProbsDropoutProb: 0.2, dropPathRate: 0.3 },
}

test('a model with checkpointing gives the same bits, dropout and drop path included, and leaves no tensor behind', () => {
  const model = new ViTForImageClassification(config)
  const pixels = randomNormal([4, 3, 16, 16], 0, 1, 'float32', 1) as Tensor4D
  const before = memory().numTensors
  const step = (gradientCheckpointing: boolean) =>
    tidy(() => {
      const { loss, logits, grads } = model.valueAndGrads(pixels, [0, 1, 2, 3], { seed: 5, gradientCheckpointing })
      return Object.fromEntries(
        Object.entries({ loss, logits, ...grads }).map(([name, tensor]) => [name, [...tensor.dataSync()]]),
      ) as never
    })
  expect(step(true)).toEqual(step(false))
  expect(memory().numTensors).toBe(before)
  model.dispose()
})

test('the tape of a checkpointed model holds the inputs of its layers alone', () => {
  const model = new ViTForImageClassification(config)
  const pixels = randomNormal([4, 3, 16, 16], 0, 1, 'float32', 1) as Tensor4D
  const held = (gradientCheckpointing: boolean): number =>
    tidy(() => {
      const before = memory().numBytes
      let bytes = 0
      const loss = () => {
        const options = { training: true, labels: [0, 1, 2, 3], gradientCheckpointing }
        const { loss } = model.forward(pixels, options)
        bytes = memory().numBytes - before
        return loss as Tensor
      }
      valueAndGrads(loss, [...model.parameters().values()])
      return bytes as never
    })
  expect(held(true)).toBeLessThan(0.6 * held(false))
  model.dispose()
})
