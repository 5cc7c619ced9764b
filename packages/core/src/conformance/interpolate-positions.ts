import type { Tensor3D } from '@tensorflow/tfjs-core'
import { interpolatePositions } from '../ops/interpolate-positions.ts'
import { type ConformanceCase, opCase, randomValues } from './check.ts'

const grids: [from: [number, number], to: [number, number], C: number][] = [
  [[1, 1], [3, 2], 5],
  [[4, 4], [6, 5], 17],
  [[3, 5], [4, 3], 33],
  [[7, 7], [12, 12], 16],
  [[6, 4], [3, 2], 3],
  [[4, 4], [4, 4], 7],
  [[3, 5], [3, 7], 1],
  [[14, 14], [24, 9], 24],
]

/** The cubic convolution kernel of torch's upsample_bicubic2d, a = −0.75. */
function cubic(x: number): number {
  const [d, a] = [Math.abs(x), -0.75]
  if (d <= 1) return (a + 2) * d ** 3 - (a + 3) * d ** 2 + 1
  if (d < 2) return a * d ** 3 - 5 * a * d ** 2 + 8 * a * d - 4 * a
  return 0
}

/** Calls visit(new position, old position, weight) for the 4×4 neighbours of every new position; 0 is the class token. */
function eachTap(
  [h, w]: number[],
  [h2, w2]: number[],
  visit: (to: number, from: number, weight: number) => void,
): void {
  visit(0, 0, 1)
  const [rows, columns, newRows, newColumns] = [h, w, h2, w2] as [number, number, number, number]
  const clamp = (i: number, size: number): number => Math.max(0, Math.min(size - 1, i))
  for (let y = 0; y < newRows; y++)
    for (let x = 0; x < newColumns; x++) {
      const sourceY = ((y + 0.5) * rows) / newRows - 0.5
      const sourceX = ((x + 0.5) * columns) / newColumns - 0.5
      for (let dy = -1; dy <= 2; dy++)
        for (let dx = -1; dx <= 2; dx++) {
          const tapY = Math.floor(sourceY) + dy
          const tapX = Math.floor(sourceX) + dx
          const from = 1 + clamp(tapY, rows) * columns + clamp(tapX, columns)
          visit(1 + y * newColumns + x, from, cubic(sourceY - tapY) * cubic(sourceX - tapX))
        }
    }
}

export const interpolatePositionsCases = (): ConformanceCase[] =>
  grids.map(([from, to, C]) => {
    const move = (source: Float64Array, size: number, forward: boolean): Float64Array => {
      const out = new Float64Array(size * C)
      eachTap(from, to, (target, origin, weight) => {
        for (let c = 0; c < C; c++) {
          const [write, read] = forward ? [target, origin] : [origin, target]
          out[write * C + c] = (out[write * C + c] as number) + weight * (source[read * C + c] as number)
        }
      })
      return out
    }
    return opCase({
      name: `interpolatePositions: ${from.join('×')} to ${to.join('×')}, ${C}`,
      inputs: { positionEmbeddings: randomValues([1, 1 + from[0] * from[1], C], 1) },
      outputShape: [1, 1 + to[0] * to[1], C],
      run: ({ positionEmbeddings }) => interpolatePositions(positionEmbeddings as Tensor3D, from, to),
      forward: ({ positionEmbeddings }) => move(positionEmbeddings, 1 + to[0] * to[1], true),
      backward: (_, dy) => ({ positionEmbeddings: move(dy, 1 + from[0] * from[1], false) }),
    })
  })
