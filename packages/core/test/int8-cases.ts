/** Products in int8 on the current backend, each element within what rounding its row and its column may cost. */
import { type Tensor, tensor1d, tensor2d, tidy } from '@tensorflow/tfjs-core'
import { autocast } from '@vitral/core'
import { linear } from '@vitral/core/ops'
import { normalStream } from '@vitral/core/tape'

const shapes = [
  [1, 5, 1],
  [7, 300, 40],
  [33, 64, 19],
] as const

/**
 * Cases for any test runner; `run` throws where an element is too far away, or where nothing is rounded.
 *
 * @param weightLevels steps of the largest weight: 64, or 63 where an instruction takes seven bits; known once they run
 */
export const int8Cases = (weightLevels: () => 63 | 64): { name: string; run: () => Promise<void> }[] =>
  (['none', 'gelu'] as const).flatMap(inputActivation =>
    shapes.map(([M, K, N]) => ({
      name: `int8 ${M}×${K}×${N}, activation ${inputActivation}: every element is within the rounding of its row and column`,
      run: () => checkProduct(M, K, N, inputActivation, weightLevels()),
    })),
  )

async function checkProduct(
  M: number,
  K: number,
  N: number,
  inputActivation: 'none' | 'gelu',
  weightLevels: number,
): Promise<void> {
  const [x, w, b] = [randomFloats(M * K, 1), randomFloats(N * K, 2, 0.1), randomFloats(N, 3)]
  x[K - 1] = 4 // an outlier coarsens its own row alone
  const product = (): Tensor =>
    linear(tensor2d(x, [M, K]), tensor2d(w, [N, K]), tensor1d(b), { inputActivation }) as Tensor
  const output = tidy(() => autocast({ dtype: 'int8' }, product))
  const y = await output.data()
  output.dispose()
  let worst = 0
  for (let m = 0; m < M; m++)
    for (let n = 0; n < N; n++) {
      const row = [...x.subarray(m * K, (m + 1) * K)].map(value => (inputActivation === 'gelu' ? gelu(value) : value))
      const { exact, bound } = productAndBound(row, [...w.subarray(n * K, (n + 1) * K)], weightLevels)
      const error = Math.abs((y[m * N + n] as number) - exact - (b[n] as number))
      if (!(error <= bound)) throw new Error(`element [${m}, ${n}] is off by ${error}; rounding allows ${bound}`)
      worst = Math.max(worst, error / bound)
    }
  if (!(worst > 1e-3)) throw new Error('nothing was rounded: the product is not one of int8')
}

/**
 * x·w and how far its int8 product may be from it. Rounding w moves each of its elements by half a step at most, and
 * rounding x does the same to what then multiplies the rounded w: Σ|x|·wStep/2 + Σ|rounded w|·xStep/2. The rest is
 * float32's rounding of a few numbers no larger than the sums of absolute values.
 */
function productAndBound(x: number[], w: number[], weightLevels: number): { exact: number; bound: number } {
  const xStep = (Math.max(...x) - Math.min(...x)) / 255
  const wStep = Math.max(...w.map(Math.abs)) / weightLevels
  const total = (values: number[]) => values.reduce((a, b) => a + b, 0)
  const sizeOfX = total(x.map(Math.abs))
  const sizeOfW = total(w.map(value => wStep * Math.abs(Math.round(value / wStep))))
  const spread = Math.max(...x.map(Math.abs)) * sizeOfW
  const exact = total(x.map((value, k) => value * (w[k] as number)))
  return { exact, bound: (sizeOfX * wStep) / 2 + (sizeOfW * xStep) / 2 + 1e-6 * (spread + 1) }
}

// erf by its series: exact enough for arguments this small.
function gelu(x: number): number {
  let term = x / Math.SQRT2
  let erf = 0
  for (let n = 0; n < 80; n++) {
    erf += term / (2 * n + 1)
    term *= (-x * x) / 2 / (n + 1)
  }
  return 0.5 * x * (1 + (2 / Math.sqrt(Math.PI)) * erf)
}

/** Normally distributed numbers. */
export function randomFloats(count: number, seed: number, size = 1): Float32Array {
  const next = normalStream(seed)
  return Float32Array.from({ length: count }, () => size * next())
}
