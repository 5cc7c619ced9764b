import type { Tensor1D } from '@tensorflow/tfjs-core'
import { layerNorm } from '../ops/layer-norm.ts'
import { type Arrays, type ConformanceCase, opCase, randomValues, type Values } from './check.ts'

const shapes: number[][] = [
  [1, 1],
  [3, 2],
  [7, 5],
  [2, 3, 15],
  [16, 16],
  [1, 17],
  [2, 5, 31],
  [4, 48],
  [65, 65],
  [3, 197],
  [130, 192],
]

export const layerNormCases = (): ConformanceCase[] => [
  ...shapes.map(shape => layerNormCase('normal x', 1e-6, randomValues(shape, 1))),
  layerNormCase('normal x', 1e-12, randomValues([5, 33], 1)),
  // So small that eps decides, and an eps of another size, or none, shows.
  layerNormCase('small x', 1e-12, randomValues([5, 33], 1, 1e-6)),
  layerNormCase('constant rows', 1e-3, constantRows([3, 8])),
  layerNormCase('constant rows', 1e-12, constantRows([3, 8])),
  layerNormCase('x around 100', 1e-6, shifted(randomValues([4, 37], 1), 100)),
]

function layerNormCase(what: string, eps: number, x: Values): ConformanceCase {
  const { shape } = x
  const C = shape.at(-1) as number
  return opCase({
    name: `layerNorm: ${shape.join('×')}, eps ${eps}, ${what}`,
    inputs: { x, weight: randomValues([C], 2), bias: randomValues([C], 3) },
    outputShape: shape,
    run: ({ x, weight, bias }) => layerNorm(x, weight as Tensor1D, bias as Tensor1D, eps),
    forward: arrays => normedRows(arrays, eps),
    backward(arrays, dy) {
      const { x, ...others } = normedRowsGradients(arrays, dy, eps)
      return C <= 2 ? others : { x, ...others } // the gradient of x over one or two values is zero but for eps
    },
  })
}

type Rows = Arrays<'x' | 'weight' | 'bias'>

/** Mean, reciprocal deviation and normalised values of a row. */
function normalise(row: Float64Array, eps: number): { rstd: number; normed: Float64Array } {
  const mean = row.reduce((sum, value) => sum + value, 0) / row.length
  const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / row.length
  const rstd = 1 / Math.sqrt(variance + eps)
  return { rstd, normed: row.map(value => (value - mean) * rstd) }
}

/** The layer norm of rows as long as the weight. */
export function normedRows({ x, weight, bias }: Rows, eps: number): Float64Array {
  const C = weight.length
  const out = new Float64Array(x.length)
  for (let m = 0; m < x.length; m += C)
    normalise(x.subarray(m, m + C), eps).normed.forEach((value, c) => {
      out[m + c] = value * (weight[c] as number) + (bias[c] as number)
    })
  return out
}

/** Its gradients. */
export function normedRowsGradients(inputs: Rows, dy: Float64Array, eps: number): Rows {
  const C = inputs.weight.length
  const [x, weight, bias] = [new Float64Array(dy.length), new Float64Array(C), new Float64Array(C)]
  for (let m = 0; m < dy.length; m += C) {
    const { rstd, normed } = normalise(inputs.x.subarray(m, m + C), eps)
    const up = dy.subarray(m, m + C)
    const g = up.map((value, c) => value * (inputs.weight[c] as number))
    const meanG = g.reduce((sum, value) => sum + value, 0) / C
    const meanGNormed = g.reduce((sum, value, c) => sum + value * (normed[c] as number), 0) / C
    for (let c = 0; c < C; c++) {
      x[m + c] = rstd * ((g[c] as number) - meanG - (normed[c] as number) * meanGNormed)
      weight[c] = (weight[c] as number) + (up[c] as number) * (normed[c] as number)
      bias[c] = (bias[c] as number) + (up[c] as number)
    }
  }
  return { x, weight, bias }
}

/** Rows of one value, a multiple of a quarter, whose mean float32 computes exactly. */
function constantRows(shape: number[]): Values {
  const values = randomValues(shape, 1)
  const C = shape.at(-1) as number
  const data = values.data.map((_, i) => Math.round(4 * (values.data[Math.floor(i / C) * C] as number)) / 4)
  return { ...values, data }
}

/** A large mean: the variance must not be computed as the difference of two squares. */
function shifted(values: Values, by: number): Values {
  return { ...values, data: values.data.map(value => Math.fround(value + by)) }
}
