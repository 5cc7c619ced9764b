import type { Tensor2D, Tensor3D } from '@tensorflow/tfjs-core'
import { rotateHeads } from '../ops/rotate-heads.ts'
import { type ConformanceCase, opCase, randomValues, type Values } from './check.ts'

const shapes: [B: number, N: number, H: number, D: number, prefix: number][] = [
  [1, 1, 1, 2, 0],
  [2, 5, 3, 4, 1],
  [1, 17, 2, 12, 5],
  [2, 9, 1, 66, 0],
]

export const rotateHeadsCases = (): ConformanceCase[] =>
  shapes.map(([B, N, H, D, prefix]) => {
    const C = H * D
    const half = D / 2
    const angles = randomValues([N - prefix, half], 2, 3)
    const of = (f: (angle: number) => number): Values => ({
      shape: angles.shape,
      data: angles.data.map(angle => Math.fround(f(angle))),
    })
    /** The rotation by the angles, or back. */
    const rotated = (x: Float64Array, cosines: Float64Array, sines: Float64Array, direction: 1 | -1): Float64Array =>
      x.map((value, i) => {
        const [n, column] = [Math.floor(i / 3 / C) % N, i % (3 * C)]
        if (n < prefix || column >= 2 * C) return value
        const inHead = column % D
        const angle = (n - prefix) * half + (inHead % half)
        const isFirst = inHead < half
        const other = x[isFirst ? i + half : i - half] as number
        const sine = direction * (isFirst ? -1 : 1) * (sines[angle] as number)
        return value * (cosines[angle] as number) + other * sine
      })
    return opCase({
      name: `rotateHeads: ${B}×${N}, ${H} heads of ${D}, ${prefix} tokens before`,
      inputs: { qkv: randomValues([B, N, 3 * C], 1), cosines: of(Math.cos), sines: of(Math.sin) },
      outputShape: [B, N, 3 * C],
      run: ({ qkv, cosines, sines }) =>
        rotateHeads(qkv as Tensor3D, cosines as Tensor2D, sines as Tensor2D, { numHeads: H, prefix }),
      forward: ({ qkv, cosines, sines }) => rotated(qkv, cosines, sines, 1),
      backward: ({ cosines, sines }, dy) => ({ qkv: rotated(dy, cosines, sines, -1) }),
    })
  })
