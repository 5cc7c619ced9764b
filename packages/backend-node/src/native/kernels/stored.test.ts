/** Results stored as bfloat16: the bits of what reads them, in half the memory. */
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
import { autocast, noGrad, normalStream, useBackend, valueAndGrads } from '@vitral/core'
import { attention, layerNorm, linear, qkv } from '@vitral/core/ops'
import type { NativeBackend } from '../backend.ts'

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

const isStoredInHalf = (x: Tensor): boolean => (engine().backend as NativeBackend).numbers(x) instanceof Uint16Array

test('what the next product reads is stored as it reads it: half the memory, the bits of the rounded numbers', () => {
  const backend = engine().backend as NativeBackend
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
      const stored = autocast({}, () => linear(x, up, bias, { stored: 'computed' }))
      expect(backend.numbers(plain)).toBeInstanceOf(Float32Array)
      expect(backend.numbers(stored)).toBeInstanceOf(Uint16Array)
      const rounded = roundedOf(plain)
      expect(stored.dataSync()).toEqual(rounded.dataSync())
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
      const [ofStored, ofRounded] = [grads(stored), grads(rounded)]
      expect(ofStored.value.dataSync()).toEqual(ofRounded.value.dataSync())
      for (const i of [0, 1]) expect(ofStored.grads[i]?.dataSync()).toEqual(ofRounded.grads[i]?.dataSync())
      expect(
        sub(stored, rounded)
          .dataSync()
          .every(difference => difference === 0),
      ).toBe(true) // a kernel of tfjs
    }
    expect(
      backend.numbers(linear(random(2, 3), random(4, 3) as Tensor2D, undefined, { stored: 'computed' })),
    ).toBeInstanceOf(Float32Array)
  })
})

test('so are a norm, queries, keys and values, and what attention makes of them', () => {
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
      const bothWays = <T extends Tensor>(f: (stored: 'float32' | 'computed') => T): T => {
        const [plain, stored] = autocast({}, () => [f('float32'), f('computed')] as const)
        expect([isStoredInHalf(plain), isStoredInHalf(stored)]).toEqual([false, true])
        expect(stored.dataSync()).toEqual(roundedOf(plain).dataSync())
        return stored
      }
      const normed = bothWays(stored => layerNorm(x, weight, bias, 1e-6, { stored }))
      const packed = bothWays(stored => qkv(normed, weights, undefined, { stored }))
      bothWays(stored => attention(packed, { ...options, stored }))

      // Gradients, too, are those of the same numbers as float32.
      const dy = random(2, tokens, hiddenSize)
      const gradients = (input: Tensor3D, joined: Tensor3D) =>
        autocast({}, () => [
          ...valueAndGrads(() => sum(mul(attention(joined, { ...options, stored: 'computed' }), dy)), [joined]).grads,
          ...valueAndGrads(() => sum(qkv(input, weights)), [input, ...weights]).grads,
        ]).map(gradient => gradient.dataSync())
      expect(gradients(normed, packed)).toEqual(gradients(roundedOf(normed), roundedOf(packed)))
    }
  })
})

test('outside of autocast, and in float32, what was stored is read as well', () => {
  tidy(() => {
    const [x, up, down] = [tensor2d([[1, 2, 3]]), tensor2d([[1, 0, 1]]), tensor2d([[2]])]
    const stored = autocast({}, () => linear(x, up, undefined, { stored: 'computed' }))
    expect(linear(stored, down).dataSync()[0]).toBe(8)
    const { grads } = valueAndGrads(() => sum(linear(stored, down)), [down])
    expect(grads[0]?.dataSync()[0]).toBe(4)
  })
})

test('a stored result takes half the memory, and gives it back', () => {
  const backend = engine().backend as NativeBackend
  const [x, weight] = [zeros([256, 64]), zeros([512, 64])] as [Tensor2D, Tensor2D]
  const before = backend.memory().numBytesLive
  const bytesOf = (stored: 'float32' | 'computed') => {
    const y = noGrad(() => autocast({}, () => linear(x, weight, undefined, { stored })))
    const bytes = backend.memory().numBytesLive
    y.dispose()
    return bytes
  }
  expect(bytesOf('float32') - bytesOf('computed')).toBe((256 * 512 * 4) / 2)
  x.dispose()
  weight.dispose()
  expect(backend.memory().numBytesLive).toBeLessThan(before)
})

test('a result with drops or a residual is float32, and another is not asked for', () => {
  tidy(() => {
    const [x, weight] = [tensor2d([[1]]), tensor2d([[1]])]
    expect(() => linear(x, weight, undefined, { stored: 'computed', residual: x })).toThrow(
      "leave out stored: 'computed'",
    )
  })
})
