/** Half precision on WebGPU: what is rounded, what memory it takes, and what a model makes of it. */
import { beforeAll, describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import {
  engine,
  mul,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  type Tensor4D,
  tensor,
  tensor1d,
  tensor2d,
  tensor3d,
  tidy,
  variable,
} from '@tensorflow/tfjs-core'
import { autocast, useBackend, ViTForImageClassification, valueAndGrads } from '@vitral/core'
import { attention, gelu, layerNorm, linear, optimizerStep, qkv, type Triple } from '@vitral/core/ops'
import { normalStream } from '@vitral/core/tape'
import { fixturesFolder, readFixture } from '../../../core/test/fixture-suite.ts'
import { whyNoGpu } from '../../test/gpu.ts'
import type { WebgpuBackend } from './backend.ts'
import type { Range } from './memory.ts'

const reason = whyNoGpu()
if (reason) console.log(`skipped the tests of float16 on webgpu: ${reason}`)

const inHalf = <T>(f: () => T): T => autocast({ dtype: 'float16' }, f)

function random(shape: number[], seed: number): Tensor {
  const next = normalStream(seed)
  return tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => next()),
    shape,
  )
}

/** The largest difference, relative to the largest magnitude of the second. */
async function distance(actual: Tensor, expected: Tensor): Promise<number> {
  const [a, b] = await Promise.all([actual, expected].map(async given => Array.from(await given.data())))
  const sizes = (b as number[]).map(Math.abs)
  return Math.max(...(a as number[]).map((value, i) => Math.abs(value - (b?.[i] as number)))) / Math.max(...sizes)
}

describe.skipIf(reason !== undefined)('float16 on webgpu', () => {
  beforeAll(() => useBackend('webgpu'))

  const rounded: [given: number, expected: number][] = [
    [1 + 2 ** -12, 1],
    [1 + 2 ** -11, 1], // a tie goes to the even
    [1 + 3 * 2 ** -11, 1 + 2 ** -9],
    [-1 - 3 * 2 ** -11, -1 - 2 ** -9],
    [65519, 65504],
    [65520, Number.POSITIVE_INFINITY],
    [-70000, Number.NEGATIVE_INFINITY],
    [2 ** -25, 0],
    [2 ** -25 + 2 ** -40, 2 ** -24],
    [2 ** -14 * (1 - 2 ** -12), 2 ** -14],
    [Number.NaN, Number.NaN],
  ]
  for (const [given, expected] of rounded)
    test(`a factor of ${given} is ${expected}, and outside of autocast itself`, async () => {
      const [x, one] = [tensor2d([[given]]), tensor2d([[1]])]
      const products = [inHalf(() => linear(x, one)), inHalf(() => linear(one, x)), linear(x, one)]
      const values = await Promise.all(products.map(product => product.data()))
      expect(values.map(([value]) => value)).toEqual([expected, expected, Math.fround(given)])
      for (const made of [x, one, ...products]) made.dispose()
    })

  test('a weight is rounded again after it has changed', async () => {
    const [x, weight, gradient] = [tensor2d([[1]]), variable(tensor2d([[1]])), tensor2d([[1]])]
    const product = () => inHalf(() => linear(x, weight))
    const before = product()
    optimizerStep(
      { parameters: [weight], gradients: [gradient], state: [] },
      { algorithm: 'sgd', step: 1, lr: 0.5, weightDecay: 0, momentum: 0, nesterov: false },
    )
    const after = product()
    expect([(await before.data())[0], (await after.data())[0]]).toEqual([1, 0.5])
    for (const made of [x, weight, gradient, before, after]) made.dispose()
  })

  test('activations that products alone read take half the bytes, and give the same products', async () => {
    const x = random([2, 5, 16], 1) as Tensor3D
    const [scale, shift] = [random([16], 2), random([16], 3)] as Tensor1D[] as [Tensor1D, Tensor1D]
    const weights = [random([16, 16], 4), random([16, 16], 5), random([16, 16], 6)] as unknown as Triple<Tensor2D>
    const { tensorMap } = engine().backend as WebgpuBackend
    const layers = (outputDtype: 'float32' | 'compute') => {
      const norm = layerNorm(x, scale, shift, 1e-6, { outputDtype })
      const packed = qkv(norm, weights, undefined, { outputDtype })
      const attended = attention(packed, { numHeads: 2, outputDtype })
      const hidden = linear(attended, weights[0], undefined, { outputDtype })
      const stored = [norm, packed, attended, hidden].map(({ dataId }) => tensorMap.get(dataId))
      const halves = stored.map(({ half, resource }) => [half, (resource as Range).size])
      return { hidden: tidy(() => linear(hidden, weights[1])), halves, made: [norm, packed, attended, hidden] }
    }
    const [half, whole] = [inHalf(() => layers('compute')), inHalf(() => layers('float32'))]
    // Ranges are multiples of 256 bytes.
    expect(half.halves.map(([isHalf]) => isHalf)).toEqual([true, true, true, true])
    expect(half.halves.map(([, bytes]) => bytes)).toEqual([512, 1024, 512, 512])
    expect(whole.halves.map(([, bytes]) => bytes)).toEqual([768, 2048, 768, 768])
    expect(await distance(half.hidden, whole.hidden)).toBe(0)
    for (const tensors of [[x, scale, shift, half.hidden, whole.hidden], weights, half.made, whole.made])
      for (const given of tensors) given.dispose()
  })

  test('GELU is that of the input in half precision, and its gradient, too', async () => {
    const [x, up] = [random([6, 8], 1) as Tensor2D, random([6, 4], 3)]
    const weight = random([4, 8], 2) as Tensor2D
    const run = (f: () => Tensor) => {
      const { value, aux, grads } = valueAndGrads(() => {
        const output = f()
        return { value: tidy(() => sum(mul(output, up))), aux: output }
      }, [x, weight])
      value.dispose()
      return [aux as Tensor, ...(grads as Tensor[])]
    }
    const half = run(() => inHalf(() => linear(x, weight, undefined, { inputActivation: 'gelu' })))
    const whole = run(() => linear(gelu(x), weight))
    for (const [i, made] of half.entries()) {
      const off = await distance(made, whole[i] as Tensor)
      expect(off).toBeLessThan(2e-3)
      expect(off).toBeGreaterThan(1e-6)
    }
    for (const made of [x, weight, up, ...half, ...whole]) made.dispose()
  })

  for (const fixture of ['square', 'rect'])
    test(`${fixture}: a model's logits and gradients are PyTorch's within the rounding of float16`, async () => {
      const io = await readFixture(`${fixture}/io.safetensors`)
      const training = await readFixture(`${fixture}/training.safetensors`)
      const model = await ViTForImageClassification.fromPretrained(join(fixturesFolder, fixture, 'model'))
      const input = (key: string) => tensor(io(key).data, io(key).shape)
      const [pixels, exact] = [input('pixel_values') as Tensor4D, input('logits')]
      const bfloat16 = tensor(training('logits_autocast_bf16').data, training('logits_autocast_bf16').shape)
      const labels = tensor1d(Int32Array.from(io('labels').data), 'int32')
      const { logits } = inHalf(() => model.forward(pixels))
      const trained = inHalf(() => model.valueAndGrads(pixels, labels))
      // Three more significant bits than bfloat16's, whose rounding PyTorch's autocast shows.
      const rounding = await distance(bfloat16, exact)
      for (const ours of [logits, trained.logits]) {
        expect(await distance(ours, exact)).toBeLessThan(rounding / 4)
        expect(await distance(ours, exact)).toBeGreaterThan(1e-6)
      }
      for (const [name, gradient] of Object.entries(trained.grads)) {
        if (name.endsWith('key.bias')) continue // it is 0 but for rounding
        const theirs = input(`grad.${name}`)
        expect([name, (await distance(gradient as Tensor, theirs)) < 0.02]).toEqual([name, true])
        theirs.dispose()
      }
      for (const made of [pixels, exact, bfloat16, labels, logits, trained.loss, trained.logits]) made.dispose()
      for (const gradient of Object.values(trained.grads)) gradient?.dispose()
      model.dispose()
    })

  test('what is beyond its range shows as infinite gradients, which loss scaling leaves out', async () => {
    const [x, weight] = [tensor3d([[[60000, 60000]]]), tensor2d([[1e5, 1]])]
    const { value, grads } = valueAndGrads(
      () => ({ value: tidy(() => sum(inHalf(() => linear(x, weight)))), aux: undefined }),
      [x],
    )
    expect([...(await (grads[0] as Tensor).data())]).toEqual([Number.POSITIVE_INFINITY, 1])
    for (const made of [x, weight, value, ...grads]) made?.dispose()
  })
})
