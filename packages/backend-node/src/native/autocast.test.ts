/** bfloat16 autocast against PyTorch's, and that it does round. */
import { beforeAll, expect, test } from 'bun:test'
import { join } from 'node:path'
import {
  engine,
  eye,
  max,
  mul,
  sub,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  tensor,
  tensor2d,
  tensor4d,
  abs as tfAbs,
  tidy,
  variable,
  zeros,
} from '@tensorflow/tfjs-core'
import { autocast, noGrad, normalStream, useBackend, ViTForImageClassification, valueAndGrads } from '@vitral/core'
import { linear } from '@vitral/core/ops'
import { fixturesFolder, readFixture } from '../../../core/test/fixture-suite.ts'
import type { NativeBackend } from './backend.ts'

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
  expect(() => autocast({ dtype: 'float16' as 'bfloat16' }, () => 1)).toThrow(
    "'float16'; it knows 'float32', 'bfloat16', 'int8'",
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

test('what the next product reads is stored as it reads it: half the memory, the bits of the rounded numbers', () => {
  const backend = engine().backend as NativeBackend
  const normal = normalStream(3)
  const random = (...shape: number[]) =>
    tensor(
      Float32Array.from({ length: shape.reduce((size, n) => size * n) }, () => normal()),
      shape,
    )
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
      const rounded = autocast({}, () =>
        linear(
          plain,
          tidy(() => eye(hidden)),
        ),
      ) // each times one: the rounding alone
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
