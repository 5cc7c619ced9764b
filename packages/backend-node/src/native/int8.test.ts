/** int8 products: how near they stay to the exact ones, what they leave alone, and who refuses them. */
import { afterEach, beforeEach, expect, test } from 'bun:test'
import {
  add,
  concat,
  type Rank,
  reshape,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  tensor1d,
  tensor2d,
  tensor3d,
  tensor4d,
  tidy,
  variable,
} from '@tensorflow/tfjs-core'
import { autocast, useBackend, ViTForImageClassification, valueAndGrads } from '@vitral/core'
import { attention, linear, patchEmbed, qkv } from '@vitral/core/ops'
import { int8Cases, randomFloats } from '../../../core/test/int8-cases.ts'

beforeEach(async () => {
  await useBackend('native')
})
afterEach(async () => {
  await useBackend('native')
})

const int8 = <T>(f: () => T): T => autocast({ dtype: 'int8' }, f)
const bits = (x: Tensor): number[] => [...(x.dataSync() as Float32Array)]

for (const { name, run } of int8Cases(() => 64)) test(name, run)

test('a projection of attention is the linear layer that it is: each output has its own scale', () => {
  const C = 24
  tidy(() => {
    const x = tensor2d(randomFloats(5 * C, 1), [5, C])
    const weights = [0.01, 1, 100].map((size, i) => tensor2d(randomFloats(C * C, 2 + i, size), [C, C]))
    const biases = [5, 6, 7].map(seed => tensor1d(randomFloats(C, seed)))
    const apart = concat(
      weights.map((weight, i) => int8(() => linear(x, weight, biases[i])) as Tensor2D),
      1,
    )
    const [[q, k, v], [qBias, kBias, vBias]] = [weights, biases] as [Tensor2D[], Tensor1D[]]
    const together = int8(() =>
      qkv(
        reshape<Rank.R3>(x, [1, 5, C]),
        [q, k, v] as [Tensor2D, Tensor2D, Tensor2D],
        [qBias, kBias, vBias] as [Tensor1D, Tensor1D, Tensor1D],
      ),
    )
    expect(bits(together)).toEqual(bits(apart))
  })
})

test('a residual is added to the product as it is, not rounded', () => {
  tidy(() => {
    const x = tensor2d(randomFloats(14 * 70, 1), [14, 70])
    const weight = tensor2d(randomFloats(37 * 70, 2, 0.1), [37, 70])
    const residual = tensor2d(randomFloats(14 * 37, 3), [14, 37])
    const apart = int8(() => add(residual, linear(x, weight)))
    expect(bits(int8(() => linear(x, weight, undefined, { residual })))).toEqual(bits(apart))
  })
})

test('attention and the patch embedding are those of float32', () => {
  tidy(() => {
    const packed = tensor3d(randomFloats(2 * 5 * 24, 1), [2, 5, 24])
    const attended = () => bits(attention(packed, { numHeads: 2 }))
    expect(int8(attended)).toEqual(attended())
    const pixels = tensor4d(randomFloats(3 * 64, 2), [1, 3, 8, 8])
    const weight = tensor4d(randomFloats(6 * 3 * 16, 3), [6, 3, 4, 4])
    const embedded = () => bits(patchEmbed(pixels, weight, tensor1d(randomFloats(6, 4))))
    expect(int8(embedded)).toEqual(embedded())
  })
})

test('a weight that changes, or is wanted in another precision, is packed again', () => {
  tidy(() => {
    const x = tensor2d([[1, 0.25]])
    const weight = variable(tensor2d([[1, 0.3]]))
    const product = () => linear(x, weight as Tensor2D).dataSync()[0] as number
    expect(int8(product)).toBeCloseTo(1 + 0.25 * (19 / 64), 6)
    expect(product()).toBeCloseTo(1.075, 6)
    expect(int8(product)).toBeCloseTo(1 + 0.25 * (19 / 64), 6)
    weight.assign(tensor2d([[2, 0.6]]))
    expect(int8(product)).toBeCloseTo(2 + 0.5 * (19 / 64), 6)
    weight.dispose()
  })
})

test('what is not finite stays in its row and its column; rows and columns of one value are exact', () => {
  tidy(() => {
    const x = tensor2d([
      [1, Number.NaN, 3],
      [0.1, 0.1, 0.1],
      [0, 0, 0],
      [1, Number.POSITIVE_INFINITY, 3],
    ])
    const weight = tensor2d([
      [0.5, -0.5, 0.5],
      [0, 0, 0],
      [1, Number.NEGATIVE_INFINITY, 0],
    ])
    const y = bits(int8(() => linear(x, weight))) as number[]
    const nan = Number.NaN
    expect(y.map(value => Math.round(value * 1e6) / 1e6 + 0)).toEqual([
      nan,
      nan,
      nan,
      0.05,
      0,
      nan,
      0,
      0,
      nan,
      nan,
      nan,
      nan,
    ])
  })
})

test('nothing trains in int8, and no other backend has it', async () => {
  const config = { imageSize: 8, patchSize: 4, hiddenSize: 8, numHiddenLayers: 1, numAttentionHeads: 2, numLabels: 2 }
  const model = new ViTForImageClassification({ ...config, intermediateSize: 16 })
  tidy(() => {
    const pixels = tensor4d(randomFloats(3 * 64, 1), [1, 3, 8, 8])
    expect(() => int8(() => model.valueAndGrads(pixels, [1]))).toThrow('Nothing trains in int8')
    expect(() => int8(() => model.valueAndGrads(pixels, [1], { gradientCheckpointing: true }))).toThrow(
      'Nothing trains',
    )
    const x = tensor2d([[1]])
    expect(() => valueAndGrads(() => sum(int8(() => linear(x, x))), [x])).toThrow('Nothing trains in int8')
  })
  model.dispose()
  await useBackend('cpu')
  expect(() => int8(() => 1)).toThrow("The backend 'cpu' has no int8 products")
  expect(autocast({ dtype: 'int8', enabled: false }, () => 1)).toBe(1)
})
