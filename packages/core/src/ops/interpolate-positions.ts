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
  reference: ({ positionEmbeddings }: { positionEmbeddings: Tensor }, { from, to }: { from: number[]; to: number[] }) =>
    resizedGrid(positionEmbeddings, { from, to, prefix: 1, antialias: false }),
})

/** The same for other numbers of tokens before the patches, and with antialiasing. */
const generalOp = defineOp({
  kernel: 'VitralResamplePositions',
  save: [],
  gradients: ['positionEmbeddings'],
  reference: ({ positionEmbeddings }: { positionEmbeddings: Tensor }, attrs: Resampling) =>
    resizedGrid(positionEmbeddings, attrs),
})

type Resampling = { from: number[]; to: number[]; prefix: number; antialias: boolean }

function resizedGrid(positionEmbeddings: Tensor, { from, to, prefix, antialias }: Resampling): Tensor {
  const [, positions, hiddenSize] = positionEmbeddings.shape as Tensor3D['shape']
  const patches = slice(positionEmbeddings, [0, prefix, 0], [1, positions - prefix, hiddenSize])
  const weights = gridWeights(from as [number, number], to as [number, number], antialias)
  const resized = reshape(matMul(weights, reshape(patches, [-1, hiddenSize])), [1, -1, hiddenSize]) // [1, rows'·columns', C]
  return prefix === 0 ? resized : concat([slice(positionEmbeddings, [0, 0, 0], [1, prefix, hiddenSize]), resized], 1)
}

/** Options of interpolatePositions. */
export interface InterpolationOptions {
  /** Tokens before the patches, whose positions stay as they are. @default 1, the class token */
  prefix?: number
  /** PyTorch's antialias=True: a = −0.5, and a wider filter where the grid becomes smaller. @default false */
  antialias?: boolean
}

/**
 * Interpolates position embeddings to another grid, as torch.nn.functional.interpolate with mode bicubic (a = −0.75) and
 * align_corners=False, which is what HF's ViT does. The positions before the patches stay as they are. Linear in the
 * embeddings, so its gradient is exact.
 *
 * @param positionEmbeddings [1, prefix + rows·columns, C]
 * @param from the grid the embeddings have
 * @param to the grid wanted
 * @returns [1, prefix + rows'·columns', C]
 */
export function interpolatePositions(
  positionEmbeddings: Tensor3D,
  from: Grid,
  to: Grid,
  { prefix = 1, antialias = false }: InterpolationOptions = {},
): Tensor3D {
  for (const [name, grid] of Object.entries({ from, to }))
    if (grid.length !== 2 || !grid.every(size => isInteger(size, 1, Number.MAX_SAFE_INTEGER)))
      throw new Error(
        `interpolatePositions: ${name} is [${grid}]; expected two positive whole numbers, rows and columns.`,
      )
  const positions = prefix + from[0] * from[1]
  checkShape('interpolatePositions', 'positionEmbeddings', positionEmbeddings, [1, positions, 'hiddenSize'])
  const grids = { from: [...from], to: [...to] }
  return prefix === 1 && !antialias
    ? op({ positionEmbeddings }, grids)
    : generalOp({ positionEmbeddings }, { ...grids, prefix, antialias })
}

/** The resize as one matrix, [rows'·columns', rows·columns]: the product of the two axes' weights. */
function gridWeights(from: Grid, to: Grid, antialias: boolean) {
  const weightsOf = antialias ? smoothWeights : cubicWeights
  const vertical = weightsOf(from[0], to[0])
  const horizontal = weightsOf(from[1], to[1])
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
      weights[source] = (weights[source] as number) + cubic(Math.abs(center - tap), -0.75)
    }
    return weights
  })
}

/** The same with antialiasing, as PIL resizes: a = −0.5, the filter as wide as a new cell, and no taps beyond the borders. */
function smoothWeights(size: number, newSize: number): number[][] {
  const scale = Math.max(size / newSize, 1)
  return Array.from({ length: newSize }, (_, i) => {
    const center = ((i + 0.5) * size) / newSize
    const first = Math.max(0, Math.floor(center - 2 * scale + 0.5))
    const end = Math.min(size, Math.floor(center + 2 * scale + 0.5))
    const weights = Array.from({ length: size }, (_, tap) =>
      tap < first || tap >= end ? 0 : cubic(Math.abs(tap + 0.5 - center) / scale, -0.5),
    )
    const sum = weights.reduce((total, weight) => total + weight, 0)
    return weights.map(weight => weight / sum)
  })
}

function cubic(distance: number, a: number): number {
  if (distance <= 1) return ((a + 2) * distance - (a + 3)) * distance * distance + 1
  return distance < 2 ? ((a * distance - 5 * a) * distance + 8 * a) * distance - 4 * a : 0
}
