import { afterEach, beforeEach, expect, type Mock, spyOn, test } from 'bun:test'
import { tensor2d, tidy } from '@tensorflow/tfjs-core'
import { useBackend } from '../backend.ts'
import { linear } from '../ops/linear.ts'
import { autocast } from './autocast.ts'

let warn: Mock<typeof console.warn>
beforeEach(() => {
  warn = spyOn(console, 'warn').mockImplementation(() => {})
})
afterEach(() => warn.mockRestore())

test('float16 on a backend without it computes in float32, and says so once', async () => {
  await useBackend('cpu')
  const exact = 1 + 2 ** -12 // between two that float16 holds
  const product = () =>
    tidy(() => autocast({ dtype: 'float16' }, () => linear(tensor2d([[exact]]), tensor2d([[1]])).dataSync()[0]))
  expect([product(), product()]).toEqual([exact, exact])
  expect(warn.mock.calls).toEqual([
    ["The backend 'cpu' has no float16 products and computes them in float32; take 'webgpu', or another precision."],
  ])
})

test('float16 that is not enabled says nothing', async () => {
  await useBackend('cpu')
  autocast({ dtype: 'float16', enabled: false }, () => undefined)
  expect(warn).not.toHaveBeenCalled()
})
