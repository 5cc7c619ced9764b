/** The projections of self-attention. M rows of C; a result's row has queries, keys and values. */
import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { OutputDtypeAttribute } from '@vitral/core/kernels'
import { type Backward, type Forward, rowsOf } from '@vitral/core/kernels/arguments'
import type { WebgpuBackend } from '../backend.ts'
import { Gradients, kernel, type WebgpuKernel } from '../kernel.ts'
import { columnSums } from './column-sums.ts'
import { inHalf, type Precision, writesHalf } from './half.ts'
import { type Matrix, matrix, stacked, weightMatrix } from './product/matrix.ts'
import { multiply } from './product/product.ts'

type Weights = Record<'queryWeight' | 'keyWeight' | 'valueWeight', TensorInfo>
type Biases = Partial<Record<'queryBias' | 'keyBias' | 'valueBias', TensorInfo | undefined>>

/** The three weights, in the order of the result's parts. */
const weightMatrices = (
  backend: WebgpuBackend,
  { queryWeight, keyWeight, valueWeight }: Weights,
  half: boolean,
): Matrix =>
  stacked(
    [queryWeight, keyWeight, valueWeight].map(weight => {
      const [rows, columns] = weight.shape as [number, number]
      return weightMatrix(backend, weight, { rows, columns, half })
    }),
  )

export const qkv: WebgpuKernel<{ x: TensorInfo } & Weights & Biases, OutputDtypeAttribute & Forward & Precision> =
  kernel('VitralQkv', (backend, { x, queryBias, keyBias, valueBias, ...weights }, attrs) => {
    const C = x.shape.at(-1) as number
    const rows = rowsOf(x)
    const factorsHalf = inHalf(attrs)
    const half = writesHalf(attrs, C)
    const output = backend.output([...x.shape.slice(0, -1), 3 * C], { half })
    multiply(backend, {
      a: { matrix: matrix(backend, backend.stored(x), { rows, columns: C, half: factorsHalf }), along: 'inner' },
      b: { matrix: weightMatrices(backend, weights, factorsHalf), along: 'inner', stack: 'parts' },
      ...{ rows, columns: C, inner: C, half },
      ...{ output: output.range, outputStride: 3 * C, outputPartStep: C, parts: [0, 1, 2] },
      ...(queryBias &&
        keyBias &&
        valueBias && { bias: [queryBias, keyBias, valueBias].map(bias => backend.range(bias)) }),
    })
    return output.info
  })

export const qkvGrad: WebgpuKernel<{ dy: TensorInfo; x: TensorInfo } & Weights, Backward & Precision> = kernel(
  'VitralQkvGrad',
  (backend, { dy, x, ...weights }, attrs) => {
    const C = x.shape.at(-1) as number
    const rows = rowsOf(x)
    const gradients = new Gradients(backend, attrs)
    const up = { range: backend.range(dy), half: false }
    const dx = gradients.range('x', x.shape)
    if (dx)
      multiply(backend, {
        a: { matrix: matrix(backend, up, { rows, columns: 3 * C }), along: 'inner' },
        b: { matrix: weightMatrices(backend, weights, inHalf(attrs)), along: 'outer' },
        ...{ rows, columns: C, inner: 3 * C, output: dx },
      })

    const dWeights = ['queryWeight', 'keyWeight', 'valueWeight'].map(name => gradients.range(name, [C, C]))
    const dBiases = ['queryBias', 'keyBias', 'valueBias'].map(name => gradients.range(name, [C]))
    // A part is a matrix of its own, whose rows start at multiples of four elements only if its columns come in fours.
    const { ranges, half, stride } = matrix(backend, up, { rows: 3 * rows, columns: C })
    const dParts: Matrix = { ranges, half, stride: 3 * stride, partStep: stride }
    const parts = [0, 1, 2].filter(part => dWeights[part])
    if (parts.length > 0)
      multiply(backend, {
        a: { matrix: dParts, along: 'outer' },
        b: { matrix: matrix(backend, backend.stored(x), { rows, columns: C, half: inHalf(attrs) }), along: 'outer' },
        ...{ rows: C, columns: C, inner: rows, output: dWeights, parts },
        ...(parts.some(part => dBiases[part]) && { rowSums: dBiases }),
      })
    for (const [part, output] of dBiases.entries())
      if (output && !dWeights[part]) columnSums(backend, dParts, { rows, columns: C, output, part })
    return gradients.all()
  },
)
