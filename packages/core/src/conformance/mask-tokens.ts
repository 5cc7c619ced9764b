import type { Tensor2D, Tensor3D } from '@tensorflow/tfjs-core'
import { maskTokens } from '../ops/mask-tokens.ts'
import { type ConformanceCase, opCase, randomValues } from './check.ts'

const shapes: [B: number, N: number, C: number][] = [
  [1, 1, 1],
  [2, 3, 5],
  [3, 16, 17],
  [5, 7, 65],
  [4, 197, 64], // past what one thread takes
]

export const maskTokensCases = (): ConformanceCase[] => shapes.map(([B, N, C]) => maskCase(B, N, C))

function maskCase(B: number, N: number, C: number): ConformanceCase {
  const mask = randomValues([B, N], 4)
  mask.data.forEach((value, i) => {
    mask.data[i] = value > 0 ? 1 : 0
  })
  const masked = (i: number): boolean => mask.data[Math.floor(i / C)] === 1
  return opCase({
    name: `maskTokens: ${B}×${N}×${C}`,
    inputs: { patches: randomValues([B, N, C], 1), maskToken: randomValues([1, 1, C], 2), mask },
    outputShape: [B, N, C],
    run: ({ patches, maskToken, mask }) => maskTokens(patches as Tensor3D, maskToken as Tensor3D, mask as Tensor2D),
    forward: ({ patches, maskToken }) => patches.map((value, i) => (masked(i) ? (maskToken[i % C] as number) : value)),
    backward(_, dy) {
      const maskToken = new Float64Array(C)
      dy.forEach((up, i) => {
        if (masked(i)) maskToken[i % C] = (maskToken[i % C] as number) + up
      })
      // With nothing masked the mask token still has a gradient: zero.
      return { patches: dy.map((up, i) => (masked(i) ? 0 : up)), maskToken }
    },
  })
}
