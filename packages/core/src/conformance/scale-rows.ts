import type { Tensor1D } from '@tensorflow/tfjs-core'
import { scaleRows } from '../ops/scale-rows.ts'
import { elementsOf } from '../sizes.ts'
import { type ConformanceCase, opCase, randomValues } from './check.ts'

const shapes: number[][] = [[1], [7], [3, 5], [33, 65], [1, 9]]

export const scaleRowsCases = (): ConformanceCase[] =>
  shapes.map(shape => {
    const rows = shape[0] as number
    const columns = elementsOf(shape) / rows
    const rowOf = (i: number): number => Math.floor(i / columns)
    return opCase({
      name: `scaleRows: ${shape.join('×')}`,
      inputs: { x: randomValues(shape, 1), factors: randomValues([rows], 2) },
      outputShape: shape,
      run: ({ x, factors }) => scaleRows(x, factors as Tensor1D),
      forward: ({ x, factors }) => x.map((value, i) => value * (factors[rowOf(i)] as number)),
      backward({ x, factors }, dy) {
        const ofFactors = new Float64Array(rows)
        dy.forEach((up, i) => {
          ofFactors[rowOf(i)] = (ofFactors[rowOf(i)] as number) + up * (x[i] as number)
        })
        return { x: dy.map((up, i) => up * (factors[rowOf(i)] as number)), factors: ofFactors }
      },
    })
  })
