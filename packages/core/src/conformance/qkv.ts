import type { Tensor1D, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core'
import { qkv } from '../ops/qkv.ts'
import { type ConformanceCase, halfCases, type OpCase, opCase, randomValues, type Values } from './check.ts'
import { product, productGradients } from './linear.ts'

type Shape = [B: number, N: number, C: number, biases: boolean]

const shapes: Shape[] = [
  [1, 1, 1, true],
  [2, 3, 5, false],
  [3, 17, 33, true],
  [2, 65, 48, false],
  [1, 14, 64, true],
  [1, 197, 65, true],
]

const parts = ['query', 'key', 'value'] as const
type Name = 'x' | `${(typeof parts)[number]}${'Weight' | 'Bias'}`

export const qkvCases = (): ConformanceCase[] => [
  ...shapes.map(shape => opCase(qkvCase(shape))),
  ...shapes.flatMap(shape => halfCases(qkvCase(shape))),
]

function qkvCase([B, N, C, biases]: Shape): OpCase<Name> {
  const inputs: Partial<Record<Name, Values>> = { x: randomValues([B, N, C], 1) }
  parts.forEach((part, i) => {
    inputs[`${part}Weight`] = randomValues([C, C], 2 + i, C ** -0.5)
    if (biases) inputs[`${part}Bias`] = randomValues([C], 5 + i)
  })
  return {
    name: `qkv: ${B}×${N}×${C}, ${biases ? 'biases' : 'no biases'}`,
    inputs: inputs as Record<Name, Values>,
    outputShape: [B, N, 3 * C],
    run: t =>
      qkv(
        t.x as Tensor3D,
        [t.queryWeight as Tensor2D, t.keyWeight as Tensor2D, t.valueWeight as Tensor2D],
        biases ? [t.queryBias as Tensor1D, t.keyBias as Tensor1D, t.valueBias as Tensor1D] : undefined,
      ),
    forward(arrays) {
      const out = new Float64Array(B * N * 3 * C)
      parts.forEach((part, i) => {
        product(arrays.x, arrays[`${part}Weight`], arrays[`${part}Bias`], C).forEach((value, j) => {
          out[Math.floor(j / C) * 3 * C + i * C + (j % C)] = value
        })
      })
      return out
    },
    backward(arrays, dy) {
      const x = new Float64Array(B * N * C)
      const result: Partial<Record<Name, Float64Array>> = { x }
      parts.forEach((part, i) => {
        const up = Float64Array.from(
          { length: B * N * C },
          (_, j) => dy[Math.floor(j / C) * 3 * C + i * C + (j % C)] as number,
        )
        const gradients = productGradients(arrays.x, arrays[`${part}Weight`], up, C)
        gradients.x.forEach((value, j) => {
          x[j] = (x[j] as number) + value
        })
        result[`${part}Weight`] = gradients.weight
        if (biases) result[`${part}Bias`] = gradients.bias
      })
      return result
    },
  }
}
