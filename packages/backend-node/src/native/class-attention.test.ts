/** What the conformance suite does not say of the class token's attention. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import {
  memory,
  mul,
  slice,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  tensor,
  tidy,
} from '@tensorflow/tfjs-core'
import { noGrad, useBackend, valueAndGrads } from '@vitral/core'
import { classAttention } from '@vitral/core/ops'
import { normalStream } from '@vitral/core/tape'
import { deviceInfo, setThreads } from './index.ts'

let threads = 0

beforeAll(async () => {
  await useBackend('native')
  threads = deviceInfo().threads
})

afterAll(() => setThreads(threads))

const C = 48
const [N, numHeads] = [9, 3]
const next = normalStream(3)
const noise = (...shape: number[]): Tensor =>
  tensor(
    Float32Array.from({ length: shape.reduce((product, size) => product * size, 1) }, () => next()),
    shape,
  )
const weights = [0, 1, 2].map(() => noise(C, C)) as [Tensor2D, Tensor2D, Tensor2D]
const biases = [0, 1, 2].map(() => noise(C)) as [Tensor1D, Tensor1D, Tensor1D]
const images = noise(4, N, C) as Tensor3D
const upstream = noise(4, 1, C)

const run = (x: Tensor3D): Tensor3D => classAttention(x, weights, biases, { numHeads })
const valuesOf = (x: Tensor): Float32Array => x.dataSync() as Float32Array

/** The gradients of x, the three weights and the three biases. */
function gradients(x: Tensor3D): Float32Array[] {
  const dy = slice(upstream, [0, 0, 0], [x.shape[0], 1, C])
  const { value, grads } = valueAndGrads(() => sum(mul(run(x), dy)), [x, ...weights, ...biases])
  const values = grads.map(valuesOf)
  for (const made of [dy, value, ...grads]) made.dispose()
  return values
}

test("the key's bias has no gradient at all, not that of rounding", () => {
  const [, , , , ofQuery, ofKey, ofValue] = gradients(images)
  expect(ofKey).toEqual(new Float32Array(C))
  for (const others of [ofQuery, ofValue]) expect(others?.every(value => value !== 0)).toBe(true)
})

test('an image has the bits it has by itself', () => {
  const together = valuesOf(noGrad(() => run(images)))
  const [dTogether] = gradients(images)
  const alone = slice(images, [0, 0, 0], [1, N, C])
  expect(valuesOf(noGrad(() => run(alone)))).toEqual(together.slice(0, C))
  expect(gradients(alone)[0]).toEqual(dTogether?.slice(0, N * C) as Float32Array)
})

test('any number of threads gives the same bits', () => {
  setThreads(1)
  const [forward, backward] = [valuesOf(run(images)), gradients(images)]
  for (const count of [2, 3, 8]) {
    setThreads(count)
    expect(valuesOf(run(images))).toEqual(forward)
    expect(gradients(images)).toEqual(backward)
  }
})

test('of no images the gradients are zero', () => {
  const none = tensor([], [0, N, C]) as Tensor3D
  expect(run(none).shape).toEqual([0, 1, C])
  const [, ...ofParameters] = gradients(none)
  for (const values of ofParameters) expect(values.every(value => value === 0)).toBe(true)
})

test('scores beyond the reach of exponentials give numbers', () => {
  const large = tidy(() => mul(images, 1e3)) as Tensor3D
  for (const values of [valuesOf(run(large)), ...gradients(large)]) expect(values.every(Number.isFinite)).toBe(true)
})

test('nothing is left in memory, with a tape and without', () => {
  const before = memory().numTensors
  gradients(images)
  noGrad(() => run(images)).dispose()
  expect(memory().numTensors).toBe(before)
})
