import type { Tensor3D } from '@tensorflow/tfjs-core'
import { embedTokens } from '../ops/embed-tokens.ts'
import { type ConformanceCase, opCase, randomValues } from './check.ts'

const shapes: [B: number, N: number, C: number][] = [
  [1, 1, 1],
  [2, 3, 5],
  [3, 16, 17],
  [5, 7, 65],
  [4, 197, 64], // past what one thread takes
]

export const embedTokensCases = (): ConformanceCase[] =>
  shapes.map(([B, N, C]) => {
    const T = 1 + N
    return opCase({
      name: `embedTokens: ${B}×${N}×${C}`,
      inputs: {
        patches: randomValues([B, N, C], 1),
        clsToken: randomValues([1, 1, C], 2),
        positionEmbeddings: randomValues([1, T, C], 3),
      },
      outputShape: [B, T, C],
      run: ({ patches, clsToken, positionEmbeddings }) =>
        embedTokens(patches as Tensor3D, clsToken as Tensor3D, positionEmbeddings as Tensor3D),
      forward({ patches, clsToken, positionEmbeddings }) {
        const out = new Float64Array(B * T * C)
        for (let b = 0; b < B; b++)
          for (let t = 0; t < T; t++)
            for (let c = 0; c < C; c++) {
              const token = t === 0 ? clsToken[c] : patches[(b * N + t - 1) * C + c]
              out[(b * T + t) * C + c] = (token as number) + (positionEmbeddings[t * C + c] as number)
            }
        return out
      },
      backward(_, dy) {
        const patches = new Float64Array(B * N * C)
        const clsToken = new Float64Array(C)
        const positionEmbeddings = new Float64Array(T * C)
        for (let b = 0; b < B; b++)
          for (let t = 0; t < T; t++)
            for (let c = 0; c < C; c++) {
              const up = dy[(b * T + t) * C + c] as number
              positionEmbeddings[t * C + c] = (positionEmbeddings[t * C + c] as number) + up
              if (t === 0) clsToken[c] = (clsToken[c] as number) + up
              else patches[(b * N + t - 1) * C + c] = up
            }
        return { patches, clsToken, positionEmbeddings }
      },
    })
  })
