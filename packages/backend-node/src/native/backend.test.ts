import { beforeAll, beforeEach, expect, test } from 'bun:test'
import {
  abs,
  add,
  cast,
  concat,
  env,
  max,
  memory,
  mul,
  ones,
  reshape,
  type Scalar,
  scalar,
  softmax,
  sum,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  type Tensor4D,
  tensor1d,
  tensor2d,
  tidy,
  topk,
  variable,
  zeros,
} from '@tensorflow/tfjs-core'
import { useBackend, ViTForImageClassification, valueAndGrads } from '@vitral/core'
import { crossEntropy, linear, maskTokens, optimizerStep, qkv, type Triple } from '@vitral/core/ops'

beforeAll(() => useBackend('native'))

const liveBytes = (): number => (memory() as unknown as { numBytesLive: number }).numBytesLive

let liveBefore: number
beforeEach(() => {
  liveBefore = liveBytes()
})

test('a weight that a step changes is packed again', () => {
  const x = ones([3, 64]) as Tensor2D
  const weight = variable(ones([32, 64]) as Tensor2D)
  const run = (): number => tidy(() => linear(x, weight as unknown as Tensor2D).dataSync()[0] as number)
  expect([run(), run()]).toEqual([64, 64])
  const options = { algorithm: 'sgd', step: 1, lr: 0.5, weightDecay: 0, momentum: 0, nesterov: false } as const
  optimizerStep({ parameters: [weight], gradients: [ones([32, 64])], state: [] }, options)
  expect(run()).toBe(32)
  weight.assign(mul(weight, 2))
  expect(run()).toBe(64)
})

test('what was packed for inference is given back when the weight trains', () => {
  const [x, weight] = [ones([3, 64]) as Tensor2D, ones([32, 64]) as Tensor2D]
  const before = liveBytes()
  linear(x, weight).dispose()
  const packed = liveBytes() - before
  expect(packed).toBeGreaterThanOrEqual(32 * 64 * 4)
  const { value, grads } = valueAndGrads(() => sum(linear(x, weight)) as Scalar, [weight])
  for (const tensor of [value, ...grads]) tensor.dispose()
  expect(liveBytes()).toBe(before)
})

test('the three weights of attention are packed as one, and again when any of them changes or goes', () => {
  tidy(() => {
    const x = ones([1, 2, 32]) as Tensor3D
    const weights = [1, 2, 3].map(factor => variable(mul(ones([32, 32]), factor))) as unknown as Triple<Tensor2D>
    const first = (triple: Triple<Tensor2D>): number[] => {
      const values = qkv(x, triple).dataSync()
      return [0, 32, 64].map(column => values[column] as number)
    }
    expect(first(weights)).toEqual([32, 64, 96])
    const options = { algorithm: 'sgd', step: 1, lr: 1, weightDecay: 0, momentum: 0, nesterov: false } as const
    optimizerStep({ parameters: [weights[2] as never], gradients: [ones([32, 32])], state: [] }, options)
    expect(first(weights)).toEqual([32, 64, 64])
    const [query, key, value] = weights
    expect(first([query, value, key])).toEqual([32, 64, 64])
    expect(first([key, query, value])).toEqual([64, 32, 64])
    expect(linear(x, key).dataSync()[0]).toBe(64)
    expect(first(weights)).toEqual([32, 64, 64])
    for (const weight of weights) weight.dispose()
  })
  expect(liveBytes()).toBe(liveBefore)
})

test('stock kernels run on the same memory, and leak nothing', () => {
  env().set('IS_TEST', true)
  const values = tidy(() => {
    const x = linear(
      tensor2d([
        [1, 2],
        [3, 4],
      ]),
      tensor2d([
        [1, 0],
        [0, 1],
      ]),
    ) // made by our kernel
    const { values } = topk(concat([x, reshape(add(x, 10), [2, 2])], 0), 1) // read by tfjs's
    return [...linear(values as Tensor2D, tensor2d([[2]])).dataSync()] // and back
  })
  env().set('IS_TEST', false)
  expect(values).toEqual([4, 8, 24, 28])
})

test('elementwise kernels broadcast and convert as tfjs does', () => {
  tidy(() => {
    const x = tensor2d([
      [1, 2, 3],
      [4, 5, 6],
    ])
    expect([...add(x, tensor1d([10, 20, 30])).dataSync()]).toEqual([11, 22, 33, 14, 25, 36])
    expect([...mul(x, 2).dataSync()]).toEqual([2, 4, 6, 8, 10, 12])
    expect([...add(x, x).dataSync()]).toEqual([2, 4, 6, 8, 10, 12])
    expect([...add(tensor1d([1, 2], 'int32'), tensor1d([3, 4], 'int32')).dataSync()]).toEqual([4, 6])
  })
})

test('a tensor that was cast has values of its new type, whatever array tfjs keeps', () => {
  tidy(() => {
    const whole = cast(tensor2d([[1, 2]], [1, 2], 'int32'), 'float32') as Tensor2D
    expect([...linear(whole, tensor2d([[3, 4]])).dataSync()]).toEqual([11])
    expect([...add(whole, tensor2d([[0.5, 0.5]])).dataSync()]).toEqual([1.5, 2.5])
    expect([...softmax(cast(tensor1d([true, true], 'bool'), 'float32')).dataSync()]).toEqual([0.5, 0.5])
    const masked = maskTokens(ones([1, 2, 1]), zeros([1, 1, 1]), cast(tensor2d([[1, 0]], [1, 2], 'bool'), 'float32'))
    expect([...masked.dataSync()]).toEqual([0, 1])
    const labels = cast(tensor1d([true, false], 'bool'), 'int32') as Tensor1D
    expect(crossEntropy(zeros([2, 3]), labels).dataSync()[0]).toBeCloseTo(Math.log(3))
    const parameter = variable(cast(tensor1d([1, 2], 'int32'), 'float32'))
    const options = { algorithm: 'sgd', step: 1, lr: 1, weightDecay: 0, momentum: 0, nesterov: false } as const
    optimizerStep({ parameters: [parameter], gradients: [tensor1d([0.5, 0.5])], state: [] }, options)
    expect([...parameter.dataSync()]).toEqual([0.5, 1.5])
    parameter.dispose()
  })
})

test('softmax of a scalar is one', () => {
  tidy(() => expect(softmax(scalar(3), -1).dataSync()[0]).toBe(1))
})

test('of no images everything is computed, and gradients of parameters are zero', () => {
  tidy(() => {
    expect(concat([zeros([0, 3]), ones([1, 3])]).shape).toEqual([1, 3])
    const model = new ViTForImageClassification({
      ...{ hiddenSize: 48, numHiddenLayers: 1, numAttentionHeads: 3, imageSize: 32, patchSize: 4, numLabels: 10 },
      ...{ dropPathRate: 0.5, hiddenDropoutProb: 0.5 },
    })
    tidy(() => void model.valueAndGrads(ones([2, 3, 32, 32]) as Tensor4D, [0, 1])) // memory used again is not zero
    const { logits, loss, grads } = model.valueAndGrads(zeros([0, 3, 32, 32]) as Tensor4D, [])
    expect([logits.shape, loss.dataSync()[0]]).toEqual([[0, 10], 0])
    for (const [name, grad] of Object.entries(grads)) expect([name, max(abs(grad)).dataSync()[0]]).toEqual([name, 0])
    model.dispose()
  })
})
