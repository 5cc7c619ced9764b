import type { Tensor3D } from '@tensorflow/tfjs-core'
import { attention, biasedAttention } from '../ops/attention.ts'
import { type ConformanceCase, halfCases, type OpCase, opCase, randomValues, type Values } from './check.ts'
import { keep } from './random.ts'
import { softmaxRow } from './softmax.ts'

interface Shape {
  B: number
  N: number
  H: number
  D: number
  scale?: number
  dropout?: number
  /** Whether the scores have a bias of their own. */
  biased?: boolean
  /** Size of the queries, keys and values: large ones give scores of ±80 and more. */
  size?: number
}

const shapes: Shape[] = [
  { B: 1, N: 1, H: 1, D: 1 },
  { B: 2, N: 3, H: 2, D: 5 },
  { B: 1, N: 17, H: 3, D: 1 },
  { B: 2, N: 5, H: 1, D: 16 },
  { B: 1, N: 33, H: 2, D: 31 },
  { B: 3, N: 16, H: 2, D: 12, scale: 0.7 },
  { B: 1, N: 65, H: 2, D: 32, dropout: 0.25 },
  { B: 2, N: 7, H: 3, D: 9, dropout: 0.5 },
  { B: 1, N: 9, H: 2, D: 8, size: 6 },
  { B: 2, N: 1, H: 2, D: 3, dropout: 0.5 },
  { B: 2, N: 65, H: 3, D: 32 },
  { B: 1, N: 50, H: 2, D: 80 },
  { B: 1, N: 197, H: 1, D: 64 },
  // More keys than a kernel holds scores of at a time, in parts of unequal length; the dropout tells where a part starts.
  { B: 1, N: 531, H: 1, D: 5, dropout: 0.25 },
  { B: 1, N: 70, H: 2, D: 12, dropout: 0.25 },
  { B: 1, N: 1, H: 1, D: 2, biased: true },
  { B: 2, N: 17, H: 3, D: 5, biased: true },
  { B: 2, N: 9, H: 2, D: 8, biased: true, dropout: 0.25, scale: 0.7 },
]

/** In bfloat16 some kernels round probabilities, too, which no value of the inputs prevents. */
export const attentionCases = (): ConformanceCase[] => [
  ...shapes.map(shape => opCase(attentionCase(shape))),
  ...shapes.filter(({ biased }) => !biased).flatMap(shape => halfCases(attentionCase(shape), ['float16'])),
]

function attentionCase(shape: Shape): OpCase<'qkv' | 'bias'> {
  const { B, N, H, D, dropout = 0, size = 1, biased = false } = shape
  const scale = shape.scale ?? D ** -0.5
  const C = H * D
  const seed = 4711
  /** Index of element d of head h of token n in the packed input; part 0, 1, 2 is query, key, value. */
  const at = (b: number, n: number, part: number, h: number, d: number): number =>
    ((b * N + n) * 3 + part) * C + h * D + d
  const get = (array: Float64Array, index: number): number => array[index] as number

  /** For each batch, head and query: the probabilities, and their dropout multipliers. */
  const eachRow = (
    qkv: Float64Array,
    bias: Float64Array | undefined,
    visit: (b: number, h: number, i: number, probabilities: number[], kept: number[]) => void,
  ) => {
    for (let b = 0; b < B; b++)
      for (let h = 0; h < H; h++)
        for (let i = 0; i < N; i++) {
          const scores = Float64Array.from({ length: N }, (_, j) => {
            let dot = 0
            for (let d = 0; d < D; d++) dot += get(qkv, at(b, i, 0, h, d)) * get(qkv, at(b, j, 1, h, d))
            return dot * scale + (bias ? get(bias, (h * N + i) * N + j) : 0)
          })
          const kept = Array.from(scores, (_, j) => keep(seed, ((b * H + h) * N + i) * N + j, dropout))
          visit(b, h, i, softmaxRow(scores, 0, N), kept)
        }
  }

  const inputs: Partial<Record<'qkv' | 'bias', Values>> = { qkv: randomValues([B, N, 3 * C], 1, size) }
  if (biased) inputs.bias = randomValues([H, N, N], 2)
  const options = { numHeads: H, scale, dropoutProbability: dropout, seed }
  return {
    name: `${biased ? 'biasedAttention' : 'attention'}: ${B}×${N}, ${H} heads of ${D}, scale ${scale.toFixed(3)}, dropout ${dropout}, values around ${size}`,
    inputs: inputs as Record<'qkv' | 'bias', Values>,
    outputShape: [B, N, C],
    run: ({ qkv, bias }) =>
      biased ? biasedAttention(qkv as Tensor3D, bias as Tensor3D, options) : attention(qkv as Tensor3D, options),
    forward({ qkv, bias }) {
      const out = new Float64Array(B * N * C)
      eachRow(qkv, bias, (b, h, i, probabilities, kept) => {
        for (let d = 0; d < D; d++) {
          let sum = 0
          for (let j = 0; j < N; j++) sum += get0(probabilities, j) * get0(kept, j) * get(qkv, at(b, j, 2, h, d))
          out[(b * N + i) * C + h * D + d] = sum
        }
      })
      return out
    },
    backward({ qkv, bias }, dy) {
      const biasGradient = new Float64Array(H * N * N)
      const gradient = new Float64Array(qkv.length)
      const addTo = (index: number, value: number) => {
        gradient[index] = get(gradient, index) + value
      }
      eachRow(qkv, bias, (b, h, i, probabilities, kept) => {
        const up = (d: number): number => get(dy, (b * N + i) * C + h * D + d)
        const dProbabilities = probabilities.map((_, j) => {
          let dot = 0
          for (let d = 0; d < D; d++) dot += up(d) * get(qkv, at(b, j, 2, h, d))
          return dot * get0(kept, j)
        })
        const mean = probabilities.reduce((sum, p, j) => sum + p * get0(dProbabilities, j), 0)
        for (let j = 0; j < N; j++) {
          const dBias = get0(probabilities, j) * (get0(dProbabilities, j) - mean)
          const dScore = dBias * scale
          biasGradient[(h * N + i) * N + j] = get(biasGradient, (h * N + i) * N + j) + dBias
          for (let d = 0; d < D; d++) {
            addTo(at(b, i, 0, h, d), dScore * get(qkv, at(b, j, 1, h, d)))
            addTo(at(b, j, 1, h, d), dScore * get(qkv, at(b, i, 0, h, d)))
            addTo(at(b, j, 2, h, d), get0(probabilities, j) * get0(kept, j) * up(d))
          }
        }
      })
      return biased ? { qkv: gradient, bias: biasGradient } : { qkv: gradient }
    },
  }
}

const get0 = (array: readonly number[], index: number): number => array[index] as number
