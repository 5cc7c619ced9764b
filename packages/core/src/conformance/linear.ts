import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-core'
import { linear } from '../ops/linear.ts'
import { elementsOf } from '../sizes.ts'
import { type ConformanceCase, halfCases, type OpCase, opCase, randomValues } from './check.ts'
import { gelu, geluGradient } from './gelu.ts'
import { keep } from './random.ts'

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
  residual?: boolean
  dropout?: number
  dropPath?: number
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
  // The end of an encoder layer's branch: each part alone, and together.
  { rows: [3, 5], In: 7, Out: 9, bias: true, inputActivation: 'none', residual: true },
  { rows: [3, 5], In: 7, Out: 9, bias: false, inputActivation: 'gelu', residual: true },
  { rows: [3, 5], In: 7, Out: 9, bias: true, inputActivation: 'none', dropout: 0.3 },
  { rows: [9, 5], In: 7, Out: 19, bias: true, inputActivation: 'none', dropPath: 0.4 },
  { rows: [13], In: 3, Out: 1, bias: false, inputActivation: 'none', residual: true, dropPath: 0.4 },
  { rows: [9, 2, 2], In: 33, Out: 65, bias: true, inputActivation: 'gelu', residual: true, dropPath: 0.5 },
  { rows: [4, 17], In: 48, Out: 37, bias: true, inputActivation: 'none', residual: true, dropout: 0.1 },
  { rows: [4, 17], In: 48, Out: 64, bias: false, inputActivation: 'none', residual: true, dropout: 0.5, dropPath: 0.5 },
  // Past one block of steps, and past what one thread takes.
  { rows: [3, 5], In: 1601, Out: 33, bias: true, inputActivation: 'gelu', residual: true, dropout: 0.2, dropPath: 0.5 },
  { rows: [6, 65], In: 65, Out: 129, bias: true, inputActivation: 'gelu', residual: true, dropout: 0.1, dropPath: 0.3 },
]

export const linearCases = (): ConformanceCase[] => [
  ...shapes.map(shape => opCase(linearCase(shape))),
  ...shapes.filter(hasBfloat16Factors).flatMap(shape => halfCases(linearCase(shape))),
]

/** bfloat16 holds no GELU's result exactly, and of dropout's multipliers only 1 and 2. */
const hasBfloat16Factors = ({ inputActivation, dropout = 0, dropPath = 0 }: Shape): boolean =>
  inputActivation === 'none' && [dropout, dropPath].every(probability => probability % 0.5 === 0)

type Input = 'x' | 'weight' | 'bias' | 'residual'

function linearCase(shape: Shape): OpCase<Input> {
  const { rows, In, Out, bias, inputActivation, size = 1, residual = false, dropout = 0, dropPath = 0 } = shape
  const [dropoutSeed, dropPathSeed] = [5, 12]
  const active = inputActivation === 'gelu'
  const outputShape = [...rows, Out]
  const total = elementsOf(outputShape)
  const keptOfSample = Array.from({ length: rows[0] as number }, (_, b) => keep(dropPathSeed, b, dropPath))
  const kept = Float64Array.from({ length: total }, (_, i) => {
    const sample = Math.floor((i * keptOfSample.length) / total)
    return keep(dropoutSeed, i, dropout) * (keptOfSample[sample] as number)
  })
  const drop = (values: Float64Array): Float64Array => values.map((value, i) => value * (kept[i] as number))
  const after = [residual && 'residual', dropout && `dropout ${dropout}`, dropPath && `drop path ${dropPath}`]
  const variant = [bias ? 'bias' : 'no bias', `activation ${inputActivation}`, `x around ${size}`, ...after]
  return {
    name: `linear: ${[...rows, In].join('×')} to ${Out}, ${variant.filter(Boolean).join(', ')}`,
    inputs: {
      x: randomValues([...rows, In], 1, size),
      weight: randomValues([Out, In], 2, In ** -0.5),
      ...(bias && { bias: randomValues([Out], 3) }),
      ...(residual && { residual: randomValues(outputShape, 4) }),
    } as Record<Input, ReturnType<typeof randomValues>>,
    outputShape,
    run: given =>
      linear(given.x, given.weight as Tensor2D, given.bias as Tensor1D | undefined, {
        inputActivation,
        ...(residual && { residual: given.residual }),
        ...{ dropoutProbability: dropout, dropoutSeed, dropPathProbability: dropPath, dropPathSeed },
      }),
    forward(given) {
      const branch = drop(product(active ? given.x.map(gelu) : given.x, given.weight, given.bias, In))
      return residual ? branch.map((value, i) => value + (given.residual[i] as number)) : branch
    },
    backward({ x, weight }, dy) {
      const gradients = productGradients(active ? x.map(gelu) : x, weight, drop(dy), In)
      return {
        x: active ? gradients.x.map((value, i) => value * geluGradient(x[i] as number)) : gradients.x,
        weight: gradients.weight,
        ...(bias && { bias: gradients.bias }),
        ...(residual && { residual: dy }),
      }
    },
  }
}
