import type { Tensor1D, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core'
import { classAttention } from '../ops/class-attention.ts'
import { type ConformanceCase, opCase, randomValues, type Values } from './check.ts'
import { product, productGradients } from './linear.ts'
import { softmaxRow } from './softmax.ts'

interface Shape {
  B: number
  N: number
  H: number
  D: number
  biases: boolean
  scale?: number
  /** Size of x. */
  size?: number
}

const shapes: Shape[] = [
  { B: 1, N: 1, H: 1, D: 1, biases: true },
  { B: 2, N: 1, H: 2, D: 3, biases: false },
  { B: 2, N: 3, H: 2, D: 5, biases: true },
  { B: 3, N: 17, H: 1, D: 16, biases: true, scale: 0.7 },
  { B: 1, N: 33, H: 3, D: 11, biases: false },
  { B: 1, N: 9, H: 2, D: 8, biases: true, size: 2 },
  { B: 5, N: 65, H: 3, D: 16, biases: true },
  { B: 2, N: 197, H: 2, D: 32, biases: true },
]

const parts = ['query', 'key', 'value'] as const
type Name = 'x' | `${(typeof parts)[number]}${'Weight' | 'Bias'}`

/** The order of products in which attention is written: projections of all tokens, then each head's attention. */
export const classAttentionCases = (): ConformanceCase[] =>
  shapes.map(shape => {
    const { B, N, H, D, biases, size = 1 } = shape
    const scale = shape.scale ?? D ** -0.5
    const C = H * D
    const inputs: Partial<Record<Name, Values>> = { x: randomValues([B, N, C], 1, size) }
    parts.forEach((part, i) => {
      inputs[`${part}Weight`] = randomValues([C, C], 2 + i, C ** -0.5)
      if (biases) inputs[`${part}Bias`] = randomValues([C], 5 + i)
    })
    const get = (array: ArrayLike<number>, index: number): number => array[index] as number

    /** Queries, keys and values [B, N, C], and each head's probabilities. */
    const attend = (arrays: Record<Name, Float64Array>) => {
      const [q, k, v] = parts.map(part => product(arrays.x, arrays[`${part}Weight`], arrays[`${part}Bias`], C)) as [
        Float64Array,
        Float64Array,
        Float64Array,
      ]
      const probabilities = (b: number, h: number): number[] => {
        const scores = Float64Array.from({ length: N }, (_, n) => {
          let dot = 0
          for (let d = 0; d < D; d++) dot += get(q, b * N * C + h * D + d) * get(k, (b * N + n) * C + h * D + d)
          return dot * scale
        })
        return softmaxRow(scores, 0, N)
      }
      return { q, k, v, probabilities }
    }

    return opCase<Name>({
      name: `classAttention: ${B}×${N}, ${H} heads of ${D}, ${biases ? 'biases' : 'no biases'}, scale ${scale.toFixed(3)}, x around ${size}`,
      inputs: inputs as Record<Name, Values>,
      outputShape: [B, 1, C],
      run: t =>
        classAttention(
          t.x as Tensor3D,
          [t.queryWeight as Tensor2D, t.keyWeight as Tensor2D, t.valueWeight as Tensor2D],
          biases ? [t.queryBias as Tensor1D, t.keyBias as Tensor1D, t.valueBias as Tensor1D] : undefined,
          { numHeads: H, scale },
        ),
      forward(arrays) {
        const { v, probabilities } = attend(arrays)
        const out = new Float64Array(B * C)
        for (let b = 0; b < B; b++)
          for (let h = 0; h < H; h++)
            probabilities(b, h).forEach((p, n) => {
              for (let c = h * D; c < (h + 1) * D; c++)
                out[b * C + c] = get(out, b * C + c) + p * get(v, (b * N + n) * C + c)
            })
        return out
      },
      backward(arrays, dy) {
        const { q, k, v, probabilities } = attend(arrays)
        const [dq, dk, dv] = parts.map(() => new Float64Array(B * N * C)) as [Float64Array, Float64Array, Float64Array]
        for (let b = 0; b < B; b++)
          for (let h = 0; h < H; h++) {
            const p = probabilities(b, h)
            const dProbabilities = p.map((_, n) => {
              let dot = 0
              for (let c = h * D; c < (h + 1) * D; c++) dot += get(dy, b * C + c) * get(v, (b * N + n) * C + c)
              return dot
            })
            const mean = p.reduce((sum, probability, n) => sum + probability * get(dProbabilities, n), 0)
            p.forEach((probability, n) => {
              const dScore = probability * (get(dProbabilities, n) - mean) * scale
              for (let c = h * D; c < (h + 1) * D; c++) {
                const [own, of] = [b * N * C + c, (b * N + n) * C + c]
                dq[own] = get(dq, own) + dScore * get(k, of)
                dk[of] = get(dk, of) + dScore * get(q, own)
                dv[of] = get(dv, of) + probability * get(dy, b * C + c)
              }
            })
          }
        const x = new Float64Array(B * N * C)
        const result: Partial<Record<Name, Float64Array>> = { x }
        parts.forEach((part, i) => {
          const gradients = productGradients(arrays.x, arrays[`${part}Weight`], [dq, dk, dv][i] as Float64Array, C)
          gradients.x.forEach((value, j) => {
            x[j] = get(x, j) + value
          })
          result[`${part}Weight`] = gradients.weight
          // The key's is zero, which a relative tolerance cannot say of sums that were rounded.
          if (biases && part !== 'key') result[`${part}Bias`] = gradients.bias
        })
        return result
      },
    })
  })
