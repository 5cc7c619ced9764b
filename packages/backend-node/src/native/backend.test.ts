import { beforeAll, beforeEach, expect, test } from 'bun:test'
import {
  add,
  concat,
  env,
  memory,
  mul,
  ones,
  randomNormal,
  reshape,
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
import { useBackend, ViTForImageClassification } from '@vitral/core'
import { linear, optimizerStep, qkv, type Triple } from '@vitral/core/ops'
import { loadAddon } from './addon.ts'

beforeAll(() => useBackend('native'))

interface NativeMemory {
  numTensors: number
  numBytesLive: number
  numBytesFree: number
}
const used = (): NativeMemory => memory() as unknown as NativeMemory

let before: NativeMemory
beforeEach(() => {
  before = used()
})

const small = {
  hiddenSize: 48,
  numHiddenLayers: 3,
  numAttentionHeads: 3,
  mlpRatio: 4,
  imageSize: 32,
  patchSize: 4,
  numLabels: 10,
}

test('three hundred training steps use no more memory than three', () => {
  const model = new ViTForImageClassification(small)
  const parameters = [...model.parameters().values()]
  const state = [0, 1].map(() => parameters.map(parameter => tidy(() => variable(zeros(parameter.shape)))))
  const step = (n: number) =>
    tidy(() => {
      const { grads } = model.valueAndGrads(ones([4, 3, 32, 32]) as Tensor4D, [0, 1, 2, 3])
      const options = {
        algorithm: 'adam',
        lr: 1e-4,
        weightDecay: 0,
        beta1: 0.9,
        beta2: 0.999,
        eps: 1e-8,
        decoupled: true,
      } as const
      optimizerStep({ parameters, gradients: Object.values(grads), state }, { ...options, step: n })
    })
  for (let n = 1; n <= 3; n++) step(n)
  const early = used()
  for (let n = 4; n <= 300; n++) step(n)
  expect(used()).toEqual(early)
  model.dispose()
  for (const slot of state) for (const made of slot) made.dispose()
  expect(used().numTensors).toBe(before.numTensors)
  expect(used().numBytesLive).toBe(before.numBytesLive)
})

test('many sizes do not fill the pool: what was not used for longest goes', () => {
  for (let size = 0; size < 3000; size++) zeros([2000 + size, 64]).dispose()
  expect(used().numBytesFree).toBeLessThanOrEqual(300 * 2 ** 20)
  expect(used().numBytesLive).toBe(before.numBytesLive)
})

test('an array that a user gave is never changed, and one that a user got never changes', async () => {
  const given = new Float32Array(4096).fill(1)
  const parameter = variable(tensor1d(given))
  const got = (await parameter.data()) as Float32Array
  const options = { algorithm: 'sgd', step: 1, lr: 1, weightDecay: 0, momentum: 0, nesterov: false } as const
  optimizerStep({ parameters: [parameter], gradients: [ones([4096])], state: [] }, options)
  expect(parameter.dataSync()[0]).toBe(0)
  parameter.dispose()
  const reused = zeros([4096])
  expect(given.every(value => value === 1)).toBe(true)
  expect(got.every(value => value === 1)).toBe(true)
  reused.dispose()
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
  expect(used().numBytesLive).toBe(before.numBytesLive)
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

test('empty tensors are no trouble', () => {
  tidy(() => expect(concat([zeros([0, 3]), ones([1, 3])]).shape).toEqual([1, 3]))
})

test('the addon refuses what does not fit, naming it', () => {
  const addon = loadAddon()
  const floats = (n: number) => new Float32Array(n)
  expect(() => addon.gelu(4, floats(4), floats(3))).toThrow('gelu: output has 3 elements; expected 4')
  expect(() => addon.gelu(0, floats(0), floats(0))).toThrow('gelu: size is 0; expected a positive number')
  expect(() => addon.gelu(1.5, floats(1), floats(1))).toThrow('size is 1.5')
  expect(() => addon.gelu(4, [1] as never, floats(4))).toThrow('x is not a Float32Array')
  expect(() => (addon.gelu as (n: number) => void)(4)).toThrow('x is missing')
  expect(() => addon.selectToken(1, 2, 3, 2, floats(6), floats(3))).toThrow('index is not one of the tokens')
  expect(() => addon.crossEntropy(1, 3, floats(3), Int32Array.of(3), null, 0)).toThrow(
    'label 3 of image 0 is not a class index from 0 to 2',
  )
  expect(() => addon.layerNorm(2 ** 40, 2 ** 40, floats(1), floats(1), floats(1), 0, floats(1), null, null)).toThrow(
    'the dimensions are too large',
  )
  expect(() => addon.setThreads(257)).toThrow('threads is more than 256')
})

test('two workers of one process compute what the main thread computes', async () => {
  const x = randomNormal([64, 96], 0, 1, 'float32', 1) as Tensor2D
  const weight = randomNormal([128, 96], 0, 1, 'float32', 2) as Tensor2D
  const expected = [...linear(x, weight).dataSync()]
  const results = await Promise.all(
    [1, 2].map(
      () =>
        new Promise<number[]>((resolve, reject) => {
          const worker = new Worker(new URL('../../test/linear-worker.ts', import.meta.url))
          worker.onmessage = ({ data }) => {
            worker.terminate()
            resolve(data)
          }
          worker.onerror = event => reject(new Error(event.message))
          worker.postMessage({ x: x.dataSync(), weight: weight.dataSync() })
        }),
    ),
  )
  for (const result of results) expect(result).toEqual(expected)
  for (const tensor of [x, weight]) tensor.dispose()
})
