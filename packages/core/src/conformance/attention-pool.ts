import type { Tensor2D, Tensor3D } from '@tensorflow/tfjs-core'
import { attentionPool } from '../ops/attention-pool.ts'
import { type ConformanceCase, opCase, randomValues } from './check.ts'
import { softmaxRow } from './softmax.ts'

const shapes: [B: number, N: number, H: number, D: number][] = [
  [1, 1, 1, 1],
  [2, 3, 2, 5],
  [3, 17, 3, 16],
  [1, 65, 2, 31],
]

export const attentionPoolCases = (): ConformanceCase[] =>
  shapes.map(([B, N, H, D]) => {
    const C = H * D
    const scale = D ** -0.5
    /** Element d of head h of token n; part 0, 1 is key, value. */
    const at = (b: number, n: number, part: number, h: number, d: number): number =>
      ((b * N + n) * 2 + part) * C + h * D + d
    const eachHead = (
      query: Float64Array,
      keyValue: Float64Array,
      visit: (b: number, h: number, probabilities: number[]) => void,
    ) => {
      for (let b = 0; b < B; b++)
        for (let h = 0; h < H; h++) {
          const scores = Float64Array.from({ length: N }, (_, n) => {
            let dot = 0
            for (let d = 0; d < D; d++) dot += (query[h * D + d] as number) * (keyValue[at(b, n, 0, h, d)] as number)
            return dot * scale
          })
          visit(b, h, softmaxRow(scores, 0, N))
        }
    }
    return opCase({
      name: `attentionPool: ${B}×${N}, ${H} heads of ${D}`,
      inputs: { query: randomValues([1, C], 1), keyValue: randomValues([B, N, 2 * C], 2) },
      outputShape: [B, C],
      run: ({ query, keyValue }) => attentionPool(query as Tensor2D, keyValue as Tensor3D, H),
      forward({ query, keyValue }) {
        const out = new Float64Array(B * C)
        eachHead(query, keyValue, (b, h, probabilities) => {
          for (let d = 0; d < D; d++)
            out[b * C + h * D + d] = probabilities.reduce(
              (sum, p, n) => sum + p * (keyValue[at(b, n, 1, h, d)] as number),
              0,
            )
        })
        return out
      },
      backward({ query, keyValue }, dy) {
        const gradients = { query: new Float64Array(C), keyValue: new Float64Array(B * N * 2 * C) }
        const add = (array: Float64Array, index: number, value: number) => {
          array[index] = (array[index] as number) + value
        }
        eachHead(query, keyValue, (b, h, probabilities) => {
          const up = (d: number): number => dy[b * C + h * D + d] as number
          const ofProbabilities = probabilities.map((_, n) => {
            let dot = 0
            for (let d = 0; d < D; d++) dot += up(d) * (keyValue[at(b, n, 1, h, d)] as number)
            return dot
          })
          const mean = probabilities.reduce((sum, p, n) => sum + p * (ofProbabilities[n] as number), 0)
          for (const [n, p] of probabilities.entries()) {
            const ofScore = p * ((ofProbabilities[n] as number) - mean) * scale
            for (let d = 0; d < D; d++) {
              add(gradients.query, h * D + d, ofScore * (keyValue[at(b, n, 0, h, d)] as number))
              add(gradients.keyValue, at(b, n, 0, h, d), ofScore * (query[h * D + d] as number))
              add(gradients.keyValue, at(b, n, 1, h, d), p * up(d))
            }
          }
        })
        return gradients
      },
    })
  })
