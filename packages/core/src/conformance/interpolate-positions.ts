import type { Tensor3D } from '@tensorflow/tfjs-core'
import { type InterpolationOptions, interpolatePositions } from '../ops/interpolate-positions.ts'
import { type ConformanceCase, opCase, randomValues } from './check.ts'

const grids: [from: [number, number], to: [number, number], C: number, options?: InterpolationOptions][] = [
  [[1, 1], [3, 2], 5],
  [[4, 4], [6, 5], 17],
  [[3, 5], [4, 3], 33],
  [[7, 7], [12, 12], 16],
  [[6, 4], [3, 2], 3],
  [[4, 4], [4, 4], 7],
  [[3, 5], [3, 7], 1],
  [[14, 14], [24, 9], 24],
  [[4, 4], [6, 5], 5, { prefix: 0 }],
  [[3, 5], [4, 3], 3, { prefix: 2 }],
  [[4, 4], [6, 5], 5, { antialias: true }],
  [[7, 6], [3, 2], 3, { antialias: true }],
  [[9, 4], [2, 7], 3, { prefix: 0, antialias: true }],
]

/** The cubic convolution kernel of torch's upsample_bicubic2d, a = −0.75; a = −0.5 with antialiasing. */
function cubic(x: number, a = -0.75): number {
  const d = Math.abs(x)
  if (d <= 1) return (a + 2) * d ** 3 - (a + 3) * d ** 2 + 1
  if (d < 2) return a * d ** 3 - 5 * a * d ** 2 + 8 * a * d - 4 * a
  return 0
}

type Tap = [from: number, weight: number]

/** The neighbours of a new position along one axis, borders clamped; or, with antialiasing, all that the wider filter reaches. */
function taps(position: number, size: number, newSize: number, antialias: boolean): Tap[] {
  const center = ((position + 0.5) * size) / newSize - 0.5
  if (!antialias)
    return [-1, 0, 1, 2].map(offset => {
      const tap = Math.floor(center) + offset
      return [Math.max(0, Math.min(size - 1, tap)), cubic(center - tap)]
    })
  const scale = Math.max(1, size / newSize)
  const all = Array.from({ length: size }, (_, tap): Tap => [tap, cubic((tap - center) / scale, -0.5)])
  const sum = all.reduce((total, [, weight]) => total + weight, 0)
  return all.map(([tap, weight]) => [tap, weight / sum])
}

/** Calls visit(new position, old position, weight) for the neighbours of every new position; the first are not moved. */
function eachTap(
  [rows, columns]: [number, number],
  [newRows, newColumns]: [number, number],
  { prefix = 1, antialias = false }: InterpolationOptions,
  visit: (to: number, from: number, weight: number) => void,
): void {
  for (let i = 0; i < prefix; i++) visit(i, i, 1)
  for (let y = 0; y < newRows; y++)
    for (let x = 0; x < newColumns; x++)
      for (const [tapY, ofRow] of taps(y, rows, newRows, antialias))
        for (const [tapX, ofColumn] of taps(x, columns, newColumns, antialias))
          visit(prefix + y * newColumns + x, prefix + tapY * columns + tapX, ofRow * ofColumn)
}

export const interpolatePositionsCases = (): ConformanceCase[] =>
  grids.map(([from, to, C, options = {}]) => {
    const { prefix = 1, antialias = false } = options
    const move = (source: Float64Array, size: number, forward: boolean): Float64Array => {
      const out = new Float64Array(size * C)
      eachTap(from, to, options, (target, origin, weight) => {
        for (let c = 0; c < C; c++) {
          const [write, read] = forward ? [target, origin] : [origin, target]
          out[write * C + c] = (out[write * C + c] as number) + weight * (source[read * C + c] as number)
        }
      })
      return out
    }
    return opCase({
      name: `interpolatePositions: ${from.join('×')} to ${to.join('×')}, ${C}, ${prefix} before${antialias ? ', antialiased' : ''}`,
      inputs: { positionEmbeddings: randomValues([1, prefix + from[0] * from[1], C], 1) },
      outputShape: [1, prefix + to[0] * to[1], C],
      run: ({ positionEmbeddings }) => interpolatePositions(positionEmbeddings as Tensor3D, from, to, options),
      forward: ({ positionEmbeddings }) => move(positionEmbeddings, prefix + to[0] * to[1], true),
      backward: (_, dy) => ({ positionEmbeddings: move(dy, prefix + from[0] * from[1], false) }),
    })
  })
