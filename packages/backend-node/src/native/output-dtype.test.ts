/** Results in outputDtype 'compute', bfloat16 under autocast: the bits of what reads them, in half the memory. */
import { beforeAll, expect, test } from 'bun:test'
import {
  engine,
  eye,
  mul,
  reshape,
  sub,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  tensor,
  tensor2d,
  tidy,
  zeros,
} from '@tensorflow/tfjs-core'
import { autocast, noGrad, useBackend, valueAndGrads } from '@vitral/core'
import type { KernelBackend } from '@vitral/core/kernels'
import { attention, layerNorm, linear, qkv } from '@vitral/core/ops'
import { normalStream } from '@vitral/core/tape'

beforeAll(() => useBackend('native'))

const normal = normalStream(3)
const random = (...shape: number[]): Tensor =>
  tensor(
    Float32Array.from({ length: shape.reduce((size, n) => size * n) }, () => normal()),
    shape,
  )

/** Each number times one, under autocast: its rounding alone. */
function roundedOf<T extends Tensor>(x: T): T {
  const size = x.shape.at(-1) as number
  const rounded = autocast({}, () =>
    linear(
      x,
      tidy(() => eye(size)),
    ),
  )
  return reshape(rounded, x.shape) as T
}

const isHalf = (x: Tensor): boolean => (engine().backend as KernelBackend).numbers(x) instanceof Uint16Array

test("linear in outputDtype 'compute' gives the next product the bits of the rounded numbers", () => {
  const backend = engine().backend as KernelBackend
  tidy(() => {
    for (const [rows, inputs, hidden] of [
      [5, 24, 40],
      [70, 33, 65],
      [3, 3400, 36], // sums of several blocks
    ] as const) {
      const x = random(rows, inputs)
      const [up, down] = [random(hidden, inputs), random(7, hidden)] as [Tensor2D, Tensor2D]
      const bias = random(hidden) as Tensor1D
      const dy = random(rows, 7)
      const plain = autocast({}, () => linear(x, up, bias))
      const half = autocast({}, () => linear(x, up, bias, { outputDtype: 'compute' }))
      expect(backend.numbers(plain)).toBeInstanceOf(Float32Array)
      expect(backend.numbers(half)).toBeInstanceOf(Uint16Array)
      const rounded = roundedOf(plain)
      expect(half.dataSync()).toEqual(rounded.dataSync())
      const grads = (hiddenState: Tensor) =>
        valueAndGrads(
          () =>
            sum(
              mul(
                autocast({}, () => linear(hiddenState, down, undefined, { inputActivation: 'gelu' })),
                dy,
              ),
            ),
          [down, hiddenState],
        )
      const [ofHalf, ofRounded] = [grads(half), grads(rounded)]
      expect(ofHalf.value.dataSync()).toEqual(ofRounded.value.dataSync())
      for (const i of [0, 1]) expect(ofHalf.grads[i]?.dataSync()).toEqual(ofRounded.grads[i]?.dataSync())
      expect(
        sub(half, rounded)
          .dataSync()
          .every(difference => difference === 0),
      ).toBe(true) // a kernel of tfjs
    }
    expect(
      backend.numbers(linear(random(2, 3), random(4, 3) as Tensor2D, undefined, { outputDtype: 'compute' })),
    ).toBeInstanceOf(Float32Array)
  })
})

test("layerNorm, qkv and attention in outputDtype 'compute' give the bits of the rounded numbers", () => {
  tidy(() => {
    for (const [tokens, numHeads, headSize, dropoutProbability] of [
      [9, 3, 8, 0],
      [70, 2, 33, 0.1],
      [600, 1, 64, 0], // two tiles of keys
    ] as const) {
      const hiddenSize = numHeads * headSize
      const x = random(2, tokens, hiddenSize) as Tensor3D
      const [weight, bias] = [random(hiddenSize), random(hiddenSize)] as [Tensor1D, Tensor1D]
      const matrix = () => random(hiddenSize, hiddenSize) as Tensor2D
      const weights = [matrix(), matrix(), matrix()] as const
      const options = { numHeads, dropoutProbability, seed: 5 }
      const bothWays = <T extends Tensor>(f: (outputDtype: 'float32' | 'compute') => T): T => {
        const [plain, half] = autocast({}, () => [f('float32'), f('compute')] as const)
        expect([isHalf(plain), isHalf(half)]).toEqual([false, true])
        expect(half.dataSync()).toEqual(roundedOf(plain).dataSync())
        return half
      }
      const normed = bothWays(outputDtype => layerNorm(x, weight, bias, 1e-6, { outputDtype }))
      const packed = bothWays(outputDtype => qkv(normed, weights, undefined, { outputDtype }))
      bothWays(outputDtype => attention(packed, { ...options, outputDtype }))

      // Gradients, too, are those of the same numbers as float32.
      const dy = random(2, tokens, hiddenSize)
      const gradients = (input: Tensor3D, joined: Tensor3D) =>
        autocast({}, () => [
          ...valueAndGrads(() => sum(mul(attention(joined, { ...options, outputDtype: 'compute' }), dy)), [joined])
            .grads,
          ...valueAndGrads(() => sum(qkv(input, weights)), [input, ...weights]).grads,
        ]).map(gradient => gradient.dataSync())
      expect(gradients(normed, packed)).toEqual(gradients(roundedOf(normed), roundedOf(packed)))
    }
  })
})

test('a product outside of autocast reads a bfloat16 result', () => {
  tidy(() => {
    const [x, up, down] = [tensor2d([[1, 2, 3]]), tensor2d([[1, 0, 1]]), tensor2d([[2]])]
    const half = autocast({}, () => linear(x, up, undefined, { outputDtype: 'compute' }))
    expect(linear(half, down).dataSync()[0]).toBe(8)
    const { grads } = valueAndGrads(() => sum(linear(half, down)), [down])
    expect(grads[0]?.dataSync()[0]).toBe(4)
  })
})

test('a bfloat16 result takes half the memory, and its release frees it', () => {
  const backend = engine().backend as KernelBackend
  const [x, weight] = [zeros([256, 64]), zeros([512, 64])] as [Tensor2D, Tensor2D]
  const before = backend.memory().numBytesLive
  const bytesOf = (outputDtype: 'float32' | 'compute') => {
    const y = noGrad(() => autocast({}, () => linear(x, weight, undefined, { outputDtype })))
    const bytes = backend.memory().numBytesLive
    y.dispose()
    return bytes
  }
  expect(bytesOf('float32') - bytesOf('compute')).toBe((256 * 512 * 4) / 2)
  x.dispose()
  weight.dispose()
  expect(backend.memory().numBytesLive).toBeLessThan(before)
})

test("linear refuses outputDtype 'compute' with a residual", () => {
  tidy(() => {
    const [x, weight] = [tensor2d([[1]]), tensor2d([[1]])]
    expect(() => linear(x, weight, undefined, { outputDtype: 'compute', residual: x })).toThrow(
      "leave out outputDtype: 'compute'",
    )
  })
})
