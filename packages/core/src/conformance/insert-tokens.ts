import type { Tensor3D } from '@tensorflow/tfjs-core'
import { insertTokens } from '../ops/insert-tokens.ts'
import { type ConformanceCase, opCase, randomValues } from './check.ts'

const shapes: [B: number, N: number, C: number, T: number, at: number][] = [
  [1, 1, 1, 1, 0],
  [3, 5, 7, 1, 5],
  [2, 17, 33, 4, 1],
  [2, 4, 65, 3, 2],
]

export const insertTokensCases = (): ConformanceCase[] =>
  shapes.map(([B, N, C, T, at]) => {
    /** The place that element i of the output comes from. */
    const sourceOf = (i: number): { name: 'x' | 'tokens'; index: number } => {
      const [b, n, c] = [Math.floor(i / C / (N + T)), Math.floor(i / C) % (N + T), i % C]
      if (n >= at && n < at + T) return { name: 'tokens', index: (n - at) * C + c }
      return { name: 'x', index: (b * N + (n < at ? n : n - T)) * C + c }
    }
    return opCase({
      name: `insertTokens: ${B}×${N}×${C}, ${T} at ${at}`,
      inputs: { x: randomValues([B, N, C], 1), tokens: randomValues([1, T, C], 2) },
      outputShape: [B, N + T, C],
      run: ({ x, tokens }) => insertTokens(x as Tensor3D, tokens as Tensor3D, at),
      forward: arrays =>
        Float64Array.from({ length: B * (N + T) * C }, (_, i) => {
          const { name, index } = sourceOf(i)
          return arrays[name][index] as number
        }),
      backward(_, dy) {
        const gradients = { x: new Float64Array(B * N * C), tokens: new Float64Array(T * C) }
        dy.forEach((up, i) => {
          const { name, index } = sourceOf(i)
          gradients[name][index] = (gradients[name][index] as number) + up
        })
        return gradients
      },
    })
  })
