import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-core'
import { relativeBias } from '../ops/relative-bias.ts'
import { type ConformanceCase, opCase, randomValues } from './check.ts'

const shapes: [M: number, H: number, N: number][] = [
  [1, 1, 1],
  [5, 2, 3],
  [28, 3, 17],
]

export const relativeBiasCases = (): ConformanceCase[] =>
  shapes.map(([M, H, N]) => {
    const index = Float64Array.from({ length: N * N }, (_, i) => (i * 7 + 3) % M)
    return opCase({
      name: `relativeBias: ${M}×${H}, ${N} tokens`,
      inputs: { table: randomValues([M, H], 1), index: { shape: [N * N], data: index, dtype: 'int32' } },
      outputShape: [H, N, N],
      run: ({ table, index }) => relativeBias(table as Tensor2D, index as Tensor1D),
      forward: ({ table }) =>
        Float64Array.from(
          { length: H * N * N },
          (_, i) => table[(index[i % (N * N)] as number) * H + Math.floor(i / N / N)] as number,
        ),
      backward(_, dy) {
        const table = new Float64Array(M * H)
        dy.forEach((up, i) => {
          const at = (index[i % (N * N)] as number) * H + Math.floor(i / N / N)
          table[at] = (table[at] as number) + up
        })
        return { table }
      },
    })
  })
