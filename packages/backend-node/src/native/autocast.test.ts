/** bfloat16 autocast against PyTorch's, and that it does round. */
import { beforeAll, expect, test } from 'bun:test'
import { join } from 'node:path'
import {
  max,
  sub,
  sum,
  type Tensor,
  type Tensor2D,
  tensor2d,
  tensor4d,
  abs as tfAbs,
  tidy,
  variable,
} from '@tensorflow/tfjs-core'
import { autocast, useBackend, ViTForImageClassification, valueAndGrads } from '@vitral/core'
import { linear } from '@vitral/core/ops'
import { fixturesFolder, readFixture } from '../../../core/test/fixture-suite.ts'

beforeAll(() => useBackend('native'))

const largest = (x: Tensor): number => tidy(() => max(tfAbs(x)).dataSync()[0] as number)
const distance = (a: Tensor, b: Tensor): number => tidy(() => largest(sub(a, b)))

for (const fixture of ['square', 'rect'])
  test(`${fixture}: logits under autocast are PyTorch's within the rounding of bfloat16`, async () => {
    const io = await readFixture(`${fixture}/io.safetensors`)
    const training = await readFixture(`${fixture}/training.safetensors`)
    const pixels = io('pixel_values')
    const model = await ViTForImageClassification.fromPretrained(join(fixturesFolder, fixture, 'model'))
    tidy(() => {
      const input = tensor4d(pixels.data, pixels.shape as [number, number, number, number])
      const ours = autocast({ dtype: 'bfloat16' }, () => model.forward(input).logits)
      const [exact, theirs] = [io('logits'), training('logits_autocast_bf16')].map(({ data, shape }) =>
        tensor2d(data, shape as [number, number]),
      ) as [Tensor2D, Tensor2D]
      // PyTorch also rounds what products give to bfloat16; ours are kept in float32 and so are nearer to the truth.
      const rounding = distance(theirs, exact)
      expect(rounding).toBeGreaterThan(1e-4)
      expect(distance(ours, exact)).toBeLessThan(rounding)
      expect(distance(ours, exact)).toBeGreaterThan(1e-5)
      expect(distance(ours, theirs)).toBeLessThan(2 * rounding)
    })
    model.dispose()
  })

test('factors are rounded to the nearest, ties to even, in a product and in its gradients; outside they are not', () => {
  const tie = 1 + 2 ** -8 // between two that bfloat16 holds
  const rounded: [number, number][] = [
    [tie, 1],
    [1 + 3 * 2 ** -8, 1 + 2 ** -6],
    [tie + 2 ** -20, 1 + 2 ** -7],
    [-tie, -1],
    [Number.NaN, Number.NaN],
    [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
  ]
  tidy(() => {
    const one = tensor2d([[1]])
    for (const [given, expected] of rounded) {
      const x = tensor2d([[given]])
      expect(autocast({}, () => linear(x, one)).dataSync()[0]).toBe(expected)
      expect(autocast({}, () => linear(one, x)).dataSync()[0]).toBe(expected)
      const { grads } = valueAndGrads(() => sum(autocast({}, () => linear(one, x))), [one])
      expect(grads[0]?.dataSync()[0]).toBe(expected)
    }
    const x = tensor2d([[tie]])
    expect(linear(x, one).dataSync()[0]).toBe(tie)
    expect(autocast({ enabled: false }, () => linear(x, one)).dataSync()[0]).toBe(tie)
  })
})

test('a weight that was packed in one precision is packed again for the other', () => {
  tidy(() => {
    const x = tensor2d([[1]])
    const weight = variable(tensor2d([[1 + 2 ** -8]]))
    const product = () => linear(x, weight as Tensor2D).dataSync()[0]
    expect([product(), autocast({}, product), product()]).toEqual([1 + 2 ** -8, 1, 1 + 2 ** -8])
    weight.dispose()
  })
})

test('autocast refuses another dtype and an asynchronous function, and ends when its function throws', () => {
  expect(() => autocast({ dtype: 'float8' as 'bfloat16' }, () => 1)).toThrow(
    "'float8'; it knows 'float32', 'bfloat16', 'float16', 'int8'",
  )
  expect(() => autocast({}, async () => 1)).toThrow('asynchronous')
  expect(() =>
    autocast({}, () => {
      throw new Error('inside')
    }),
  ).toThrow('inside')
  const tie = 1 + 2 ** -8
  tidy(() => expect(linear(tensor2d([[tie]]), tensor2d([[1]])).dataSync()[0]).toBe(tie))
})
