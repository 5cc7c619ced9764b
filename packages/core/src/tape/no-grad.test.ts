import { beforeAll, expect, test } from 'bun:test'
import { memory, mul, type Scalar, square, sum, tensor1d } from '@tensorflow/tfjs-core'
import { useBackend } from '../backend.ts'
import { noGrad } from './no-grad.ts'
import { valueAndGrads } from './value-and-grads.ts'

beforeAll(() => useBackend('cpu'))

test('noGrad makes its result a constant to the gradient around it', () => {
  const x = tensor1d([2, 3])
  const before = memory().numTensors
  const { value, grads } = valueAndGrads(
    () =>
      sum(
        mul(
          noGrad(() => square(x)),
          x,
        ),
      ) as Scalar,
    [x],
  )
  expect([...(grads[0]?.dataSync() ?? [])]).toEqual([4, 9]) // x², where it would be 3·x² with a gradient of the square
  expect(value.dataSync()[0]).toBe(35)
  for (const tensor of [value, ...grads]) tensor.dispose()
  expect(memory().numTensors).toBe(before)
  x.dispose()
})

test('noGrad resumes recording after an error', () => {
  const x = tensor1d([2])
  const { grads } = valueAndGrads(() => {
    expect(() =>
      noGrad(() => {
        throw new Error('inside')
      }),
    ).toThrow('inside')
    return sum(square(x)) as Scalar
  }, [x])
  expect(grads[0]?.dataSync()[0]).toBe(4)
})
