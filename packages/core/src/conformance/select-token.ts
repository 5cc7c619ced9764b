import type { Tensor3D } from '@tensorflow/tfjs-core'
import { selectToken } from '../ops/select-token.ts'
import { type ConformanceCase, opCase, randomValues } from './check.ts'

const shapes: [B: number, N: number, C: number, index: number][] = [
  [1, 1, 1, 0],
  [3, 5, 7, 0],
  [2, 17, 33, 16],
  [5, 7, 65, 3],
]

export const selectTokenCases = (): ConformanceCase[] =>
  shapes.map(([B, N, C, index]) =>
    opCase({
      name: `selectToken: ${B}×${N}×${C}, ${index}`,
      inputs: { x: randomValues([B, N, C], 1) },
      outputShape: [B, C],
      run: ({ x }) => selectToken(x as Tensor3D, index),
      forward: ({ x }) =>
        Float64Array.from({ length: B * C }, (_, i) => x[(Math.floor(i / C) * N + index) * C + (i % C)] as number),
      backward(inputs, dy) {
        const x = new Float64Array(inputs.x.length)
        dy.forEach((up, i) => {
          x[(Math.floor(i / C) * N + index) * C + (i % C)] = up
        })
        return { x }
      },
    }),
  )
