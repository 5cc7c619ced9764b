import type { Tensor3D } from '@tensorflow/tfjs-core'
import { meanTokens } from '../ops/mean-tokens.ts'
import { type ConformanceCase, opCase, randomValues } from './check.ts'

const shapes: [B: number, N: number, C: number, from: number][] = [
  [1, 1, 1, 0],
  [3, 5, 7, 0],
  [2, 17, 33, 1],
  [2, 21, 65, 5],
]

export const meanTokensCases = (): ConformanceCase[] =>
  shapes.map(([B, N, C, from]) =>
    opCase({
      name: `meanTokens: ${B}×${N}×${C}, from ${from}`,
      inputs: { x: randomValues([B, N, C], 1) },
      outputShape: [B, C],
      run: ({ x }) => meanTokens(x as Tensor3D, from),
      forward: ({ x }) =>
        Float64Array.from({ length: B * C }, (_, i) => {
          let sum = 0
          for (let n = from; n < N; n++) sum += x[(Math.floor(i / C) * N + n) * C + (i % C)] as number
          return sum / (N - from)
        }),
      backward: ({ x }, dy) => ({
        x: x.map((_, i) =>
          Math.floor(i / C) % N < from ? 0 : (dy[Math.floor(i / C / N) * C + (i % C)] as number) / (N - from),
        ),
      }),
    }),
  )
