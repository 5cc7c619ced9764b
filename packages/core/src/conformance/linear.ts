import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-core'
import { linear } from '../ops/linear.ts'
import { bfloat16Case, type ConformanceCase, type OpCase, opCase, randomValues } from './check.ts'
import { gelu, geluGradient } from './gelu.ts'

/** x·Wᵀ + b of M rows. */
export function product(
  x: Float64Array,
  weight: Float64Array,
  bias: Float64Array | undefined,
  In: number,
): Float64Array {
  const Out = weight.length / In
  const M = x.length / In
  const y = new Float64Array(M * Out)
  for (let m = 0; m < M; m++)
    for (let n = 0; n < Out; n++) {
      let sum = bias ? (bias[n] as number) : 0
      for (let k = 0; k < In; k++) sum += (x[m * In + k] as number) * (weight[n * In + k] as number)
      y[m * Out + n] = sum
    }
  return y
}

/** The gradients of x·Wᵀ + b. */
export function productGradients(
  x: Float64Array,
  weight: Float64Array,
  dy: Float64Array,
  In: number,
): { x: Float64Array; weight: Float64Array; bias: Float64Array } {
  const Out = weight.length / In
  const gradients = {
    x: new Float64Array(x.length),
    weight: new Float64Array(weight.length),
    bias: new Float64Array(Out),
  }
  for (let m = 0; m < x.length / In; m++)
    for (let n = 0; n < Out; n++) {
      const up = dy[m * Out + n] as number
      gradients.bias[n] = (gradients.bias[n] as number) + up
      for (let k = 0; k < In; k++) {
        gradients.x[m * In + k] = (gradients.x[m * In + k] as number) + up * (weight[n * In + k] as number)
        gradients.weight[n * In + k] = (gradients.weight[n * In + k] as number) + up * (x[m * In + k] as number)
      }
    }
  return gradients
}

interface Shape {
  rows: number[]
  In: number
  Out: number
  bias: boolean
  inputActivation: 'none' | 'gelu'
  /** Size of x: large ones reach both tails of the activation. */
  size?: number
}

const both = (shape: Omit<Shape, 'bias' | 'inputActivation'>): Shape[] => [
  { ...shape, bias: true, inputActivation: 'gelu' },
  { ...shape, bias: false, inputActivation: 'none' },
]

const shapes: Shape[] = [
  ...both({ rows: [1], In: 1, Out: 1 }),
  ...both({ rows: [3], In: 5, Out: 7 }),
  ...both({ rows: [2, 13], In: 15, Out: 17 }),
  ...both({ rows: [31], In: 33, Out: 16 }),
  ...both({ rows: [14], In: 64, Out: 32 }),
  { rows: [2, 65], In: 48, Out: 97, bias: true, inputActivation: 'none' },
  { rows: [2, 2, 3], In: 31, Out: 65, bias: false, inputActivation: 'gelu' },
  // Past the blocks of a packed product in every dimension.
  { rows: [197], In: 192, Out: 577, bias: true, inputActivation: 'gelu' },
  { rows: [7], In: 1601, Out: 33, bias: true, inputActivation: 'gelu' },
  { rows: [1601], In: 7, Out: 9, bias: true, inputActivation: 'none' },
  { rows: [17], In: 600, Out: 40, bias: true, inputActivation: 'none' },
  { rows: [331], In: 23, Out: 19, bias: true, inputActivation: 'none' },
  { rows: [5], In: 17, Out: 31, bias: true, inputActivation: 'gelu', size: 8 },
]

export const linearCases = (): ConformanceCase[] => [
  ...shapes.map(shape => opCase(linearCase(shape))),
  // A GELU is no number that bfloat16 holds.
  ...shapes.filter(({ inputActivation }) => inputActivation === 'none').map(shape => bfloat16Case(linearCase(shape))),
]

function linearCase({ rows, In, Out, bias, inputActivation, size = 1 }: Shape): OpCase<'x' | 'weight' | 'bias'> {
  return {
    name: `linear: ${[...rows, In].join('×')} to ${Out}, ${bias ? 'bias' : 'no bias'}, activation ${inputActivation}, x around ${size}`,
    inputs: {
      x: randomValues([...rows, In], 1, size),
      weight: randomValues([Out, In], 2, In ** -0.5),
      ...(bias && { bias: randomValues([Out], 3) }),
    } as Record<'x' | 'weight' | 'bias', ReturnType<typeof randomValues>>,
    outputShape: [...rows, Out],
    run: ({ x, weight, bias: b }) => linear(x, weight as Tensor2D, b as Tensor1D | undefined, { inputActivation }),
    forward({ x, weight, bias: b }) {
      return product(inputActivation === 'gelu' ? x.map(gelu) : x, weight, b, In)
    },
    backward({ x, weight, bias: b }, dy) {
      const active = inputActivation === 'gelu'
      const gradients = productGradients(active ? x.map(gelu) : x, weight, dy, In)
      const dx = active ? gradients.x.map((value, i) => value * geluGradient(x[i] as number)) : gradients.x
      return b ? { ...gradients, x: dx } : { x: dx, weight: gradients.weight }
    },
  }
}
