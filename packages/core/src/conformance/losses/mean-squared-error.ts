import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-core'
import { meanSquaredError } from '../../ops/losses/mean-squared-error.ts'
import { type ConformanceCase, opCase, randomValues } from '../check.ts'

const shapes: { B: number; K: number; flat?: true; size?: number }[] = [
  { B: 1, K: 1 },
  { B: 5, K: 1, flat: true },
  { B: 7, K: 17 },
  { B: 3, K: 10, size: 60 },
]

export const meanSquaredErrorCases = (): ConformanceCase[] =>
  shapes.map(({ B, K, flat = false, size = 1 }) =>
    opCase({
      name: `meanSquaredError: ${B}×${K}, targets [${flat ? 'B' : 'B, K'}], outputs around ${size}`,
      inputs: { outputs: randomValues([B, K], 1, size), targets: randomValues(flat ? [B] : [B, K], 2) },
      outputShape: [],
      run: ({ outputs, targets }) => meanSquaredError(outputs as Tensor2D, targets as Tensor1D | Tensor2D),
      forward: ({ outputs, targets }) =>
        Float64Array.of(outputs.reduce((sum, x, i) => sum + (x - (targets[i] as number)) ** 2, 0) / (B * K)),
      backward: ({ outputs, targets }, dy) => ({
        outputs: outputs.map((x, i) => (2 * (x - (targets[i] as number)) * (dy[0] as number)) / (B * K)),
      }),
    }),
  )
