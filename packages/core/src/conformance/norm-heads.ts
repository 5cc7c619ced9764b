import type { Tensor1D, Tensor3D } from '@tensorflow/tfjs-core'
import { normHeads } from '../ops/norm-heads.ts'
import { type ConformanceCase, opCase, randomValues } from './check.ts'
import { normedRows, normedRowsGradients } from './layer-norm.ts'

const shapes: [B: number, N: number, H: number, D: number][] = [
  [1, 1, 1, 3],
  [2, 5, 3, 4],
  [1, 17, 2, 33],
]

const parts = ['query', 'key'] as const
const eps = 1e-6

export const normHeadsCases = (): ConformanceCase[] =>
  shapes.map(([B, N, H, D]) => {
    const C = H * D
    /** Columns of queries, or of keys. */
    const part = (qkv: Float64Array, index: number): Float64Array =>
      qkv.filter((_, i) => Math.floor((i % (3 * C)) / C) === index)
    /** The same put back. */
    const put = (qkv: Float64Array, index: number, values: Float64Array): void => {
      values.forEach((value, i) => {
        qkv[Math.floor(i / C) * 3 * C + index * C + (i % C)] = value
      })
    }
    return opCase({
      name: `normHeads: ${B}×${N}, ${H} heads of ${D}`,
      inputs: {
        qkv: randomValues([B, N, 3 * C], 1),
        queryWeight: randomValues([D], 2),
        queryBias: randomValues([D], 3),
        keyWeight: randomValues([D], 4),
        keyBias: randomValues([D], 5),
      },
      outputShape: [B, N, 3 * C],
      run: ({ qkv, queryWeight, queryBias, keyWeight, keyBias }) =>
        normHeads(
          qkv as Tensor3D,
          { weight: queryWeight as Tensor1D, bias: queryBias as Tensor1D },
          { weight: keyWeight as Tensor1D, bias: keyBias as Tensor1D },
          { numHeads: H, eps },
        ),
      forward(arrays) {
        const out = arrays.qkv.slice()
        for (const [i, name] of parts.entries()) {
          const rows = { x: part(arrays.qkv, i), weight: arrays[`${name}Weight`], bias: arrays[`${name}Bias`] }
          put(out, i, normedRows(rows, eps))
        }
        return out
      },
      backward(arrays, dy) {
        const qkv = dy.slice()
        const [query, key] = parts.map((name, i) => {
          const rows = { x: part(arrays.qkv, i), weight: arrays[`${name}Weight`], bias: arrays[`${name}Bias`] }
          const gradients = normedRowsGradients(rows, part(dy, i), eps)
          put(qkv, i, gradients.x)
          return gradients
        })
        return {
          qkv,
          queryWeight: query?.weight as Float64Array,
          queryBias: query?.bias as Float64Array,
          keyWeight: key?.weight as Float64Array,
          keyBias: key?.bias as Float64Array,
        }
      },
    })
  })
