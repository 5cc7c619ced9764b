/** Position embeddings for another image size: a bicubic resize of their grid. */
import { concat, matMul, reshape, slice, type Tensor, type Tensor3D, tensor2d } from '@tensorflow/tfjs-core'
import { isInteger } from '../check.ts'
import { defineOp } from '../tape/op.ts'
import { checkShape } from './arguments.ts'

/** Rows and columns of a grid of patches. */
export type Grid = readonly [rows: number, columns: number]

const op = defineOp({
  kernel: 'VitralInterpolatePositions',
  save: [],
  gradients: ['positionEmbeddings'],
  reference({ positionEmbeddings }: { positionEmbeddings: Tensor }, { from, to }: { from: number[]; to: number[] }) {
    const [, positions, hiddenSize] = positionEmbeddings.shape as Tensor3D['shape']
    const clsPosition = slice(positionEmbeddings, [0, 0, 0], [1, 1, hiddenSize])
    const patches = reshape(slice(positionEmbeddings, [0, 1, 0], [1, positions - 1, hiddenSize]), [-1, hiddenSize])
    const resized = matMul(gridWeights(from as [number, number], to as [number, number]), patches) // [rows'·columns', C]
    return concat([clsPosition, reshape(resized, [1, -1, hiddenSize])], 1)
  },
})

/**
 * Interpolates position embeddings to another grid, as torch.nn.functional.interpolate with mode bicubic (a = −0.75),
 * align_corners=False and no antialiasing, which is what HF's ViT does. The class token's position stays as it is.
 * Linear in the embeddings, so its gradient is exact.
 *
 * @param positionEmbeddings [1, 1 + rows·columns, C]
 * @param from the grid the embeddings have
 * @param to the grid wanted
 * @returns [1, 1 + rows'·columns', C]
 */
export function interpolatePositions(positionEmbeddings: Tensor3D, from: Grid, to: Grid): Tensor3D {
  for (const [name, grid] of Object.entries({ from, to }))
    if (grid.length !== 2 || !grid.every(size => isInteger(size, 1, Number.MAX_SAFE_INTEGER)))
      throw new Error(
        `interpolatePositions: ${name} is [${grid}]; expected two positive whole numbers, rows and columns.`,
      )
  checkShape('interpolatePositions', 'positionEmbeddings', positionEmbeddings, [1, 1 + from[0] * from[1], 'hiddenSize'])
  return op({ positionEmbeddings }, { from: [...from], to: [...to] })
}

/** The resize as one matrix, [rows'·columns', rows·columns]: the product of the two axes' weights. */
function gridWeights(from: Grid, to: Grid) {
  const vertical = cubicWeights(from[0], to[0])
  const horizontal = cubicWeights(from[1], to[1])
  const rows = vertical.flatMap(v => horizontal.map(h => Float32Array.from(v.flatMap(a => h.map(b => a * b)))))
  const matrix = new Float32Array(rows.length * from[0] * from[1])
  rows.forEach((row, i) => {
    matrix.set(row, i * row.length)
  })
  return tensor2d(matrix, [rows.length, from[0] * from[1]])
}

/** Weights of a one-dimensional cubic convolution (Keys 1981, a = −0.75), borders clamped: [size'][size]. */
function cubicWeights(size: number, newSize: number): number[][] {
  return Array.from({ length: newSize }, (_, i) => {
    const center = ((i + 0.5) * size) / newSize - 0.5
    const first = Math.floor(center) - 1
    const weights = new Array<number>(size).fill(0)
    for (let tap = first; tap < first + 4; tap++) {
      const source = Math.min(Math.max(tap, 0), size - 1)
      weights[source] = (weights[source] as number) + cubic(Math.abs(center - tap))
    }
    return weights
  })
}

function cubic(distance: number): number {
  const a = -0.75
  if (distance <= 1) return ((a + 2) * distance - (a + 3)) * distance * distance + 1
  return distance < 2 ? ((a * distance - 5 * a) * distance + 8 * a) * distance - 4 * a : 0
}
