/** What is computed again instead of kept: the same bits, in less memory. Only kernels of our own save less. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import {
  memory,
  ones,
  randomNormal,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  tidy,
} from '@tensorflow/tfjs-core'
import { autocast, useBackend, valueAndGrads } from '@vitral/core'
import { layerNorm, linear } from '@vitral/core/ops'
import { checkpoint } from '../../../core/src/tape/checkpoint.ts'
import { recomputed } from '../../../core/src/tape/recompute.ts'

let x: Tensor3D
let weight: Tensor2D
let scale: Tensor1D
let other: Tensor2D
beforeAll(async () => {
  await useBackend('native')
  x = randomNormal([2, 5, 8])
  weight = randomNormal([4, 8])
  scale = randomNormal([8])
  other = randomNormal([8, 8])
})
afterAll(() => {
  for (const tensor of [x, weight, scale, other]) tensor.dispose()
})

let calls = 0
const norm = (input: Tensor3D): Tensor3D => {
  calls++
  return layerNorm(input, scale, scale, 1e-6)
}

async function gradients(
  output: (input: Tensor3D) => Tensor3D,
  parts: Tensor[] = [x, weight, scale],
): Promise<number[]> {
  const dy = ones([2, 5, 4])
  const before = memory().numTensors
  const { value, grads } = valueAndGrads(() => output(x), parts, { dy })
  const values = await Promise.all(grads.map(async gradient => [...(await gradient.data())]))
  for (const tensor of [value, ...grads]) tensor.dispose()
  expect(memory().numTensors).toBe(before)
  dy.dispose()
  return values.flat()
}

test('gradients have the same bits, and f runs once more', async () => {
  const kept = await gradients(input => linear(norm(input), weight))
  calls = 0
  expect(await gradients(input => linear(recomputed(norm, input), weight))).toEqual(kept)
  expect(calls).toBe(2)
})

test('in the precision that f ran in first', async () => {
  const square = (input: Tensor3D): Tensor3D => linear(input, other)
  const kept = await gradients(input => autocast({}, () => linear(square(input), weight)), [x, weight, other])
  expect(
    await gradients(input => autocast({}, () => linear(recomputed(square, input), weight)), [x, weight, other]),
  ).toEqual(kept)
})

test('in a checkpoint too', async () => {
  const part = (input: Tensor3D): Tensor3D => linear(recomputed(norm, input), weight)
  expect(await gradients(input => checkpoint(part, input, [weight, scale]))).toEqual(await gradients(part))
})

test('without a tape, or where nothing needs it, f runs once', async () => {
  calls = 0
  tidy(() => recomputed(norm, x))
  expect(calls).toBe(1)
  await gradients(input => linear(recomputed(norm, input), weight), [x, scale]) // saved all the same
  expect(calls).toBe(3)
})

test('the result is not among what the tape keeps', () => {
  const buffersKept = (output: (input: Tensor3D) => Tensor3D): number => {
    let buffers = 0
    const dy = ones([2, 5, 4])
    const before = memory().numDataBuffers
    const measured = (input: Tensor3D): Tensor3D => {
      const result = tidy(() => output(input))
      buffers = memory().numDataBuffers - before
      return result
    }
    const { value, grads } = valueAndGrads(() => measured(x), [x, weight], { dy })
    for (const tensor of [value, ...grads, dy]) tensor.dispose()
    return buffers
  }
  const kept = buffersKept(input => linear(norm(input), weight))
  expect(kept - buffersKept(input => linear(recomputed(norm, input), weight))).toBe(1)
})
