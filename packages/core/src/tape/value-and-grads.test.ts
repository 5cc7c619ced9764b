import { afterEach, beforeAll, beforeEach, expect, test } from 'bun:test'
import {
  add,
  memory,
  mul,
  scalar,
  setBackend,
  square,
  grads as stockGrads,
  sum,
  type Tensor,
  tensor1d,
  tensor2d,
  tidy,
} from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import { layerNorm, linear } from '../ops/index.ts'
import { valueAndGrads } from './value-and-grads.ts'

beforeAll(() => setBackend('cpu'))

let before = 0
beforeEach(() => {
  before = memory().numTensors
})
afterEach(() => expect(memory().numTensors).toBe(before))

test('valueAndGrads gives the value and the gradients that tf.grads gives', () => {
  tidy(() => {
    const x = tensor2d([0.5, -1, 2, 3, 1, -2], [2, 3])
    const weight = tensor2d([1, 2, 3, 4, 5, 6, 7, 8, 9], [3, 3])
    const scale = tensor1d([1, 2, 3])
    const f = () => sum(square(linear(layerNorm(x, scale, scale, 1e-6), weight, undefined, { residual: x })))
    const { value, grads } = valueAndGrads(f, [x, weight, scale])
    const expected = stockGrads(f)([x, weight, scale])
    expect(value.dataSync()[0]).toBeCloseTo(f().dataSync()[0] as number, 4)
    grads.forEach((gradient, i) => {
      expect([...gradient.dataSync()]).toEqual([...(expected[i] as Tensor).dataSync()])
    })
  })
})

test('valueAndGrads adds the gradients of a tensor used several times', () => {
  tidy(() => {
    const x = scalar(3)
    const { grads } = valueAndGrads(() => add(mul(x, x), x), [x])
    expect(grads[0]?.dataSync()[0]).toBe(7)
  })
})

test('onGradient gets each gradient once, when it is final, last used first', () => {
  tidy(() => {
    const [a, b] = [scalar(2), scalar(5)]
    const seen: [Tensor, number][] = []
    valueAndGrads(() => add(mul(mul(a, b), b), b), [a, b], {
      onGradient: (x, gradient) => seen.push([x, gradient.dataSync()[0] as number]),
    })
    expect(seen.map(([x, value]) => [x === a ? 'a' : 'b', value])).toEqual([
      ['a', 25],
      ['b', 21],
    ])
  })
})

test('valueAndGrads returns the aux of f', () => {
  tidy(() => {
    const x = scalar(4)
    const { aux } = valueAndGrads<{ doubled: Tensor }>(() => {
      const doubled = mul(x, 2)
      return { value: square(doubled), aux: { doubled } }
    }, [x])
    expect(aux.doubled.dataSync()[0]).toBe(8)
  })
})

test('valueAndGrads frees everything when f throws, when the value has the wrong shape and when there is no path', () => {
  const x = tensor1d([1, 2])
  const other = scalar(1)
  expect(() =>
    valueAndGrads(() => {
      square(x)
      throw new Error('on purpose')
    }, [x]),
  ).toThrow('on purpose')
  expect(() => valueAndGrads(() => square(x), [x])).toThrow('expects f to return a float32 scalar')
  expect(() => valueAndGrads(() => sum(square(x)), [x, other])).toThrow('does not depend on xs[1]')
  expect(() => valueAndGrads(() => sum(square(x)), [x, other], { names: ['query', 'key'] })).toThrow('depend on key (')
  for (const tensor of [x, other]) tensor.dispose()
})

test('valueAndGrads refuses to be nested', () => {
  const x = scalar(1)
  const nested = () => valueAndGrads(() => valueAndGrads(() => square(x), [x]).value, [x])
  expect(nested).toThrow('cannot be nested')
  x.dispose()
})

test('valueAndGrads with dy: the value may have any shape: its gradients are those of sum(value·dy)', () => {
  tidy(() => {
    const [x, dy] = [tensor1d([1, 2, 3]), tensor1d([10, 20, 30])]
    const { value, grads } = valueAndGrads(() => square(x), [x], { dy })
    expect([...value.dataSync()]).toEqual([1, 4, 9])
    expect([...(grads[0] as Tensor).dataSync()]).toEqual([20, 80, 180])
    expect([...dy.dataSync()]).toEqual([10, 20, 30]) // still there
    expect(() => valueAndGrads(() => square(x), [x], { dy: tensor1d([1]) })).toThrow(
      "expects f to return a float32 of dy's shape [1], but it returned float32 of shape [3]",
    )
  })
})
