import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { Backward } from '../arguments.ts'
import { type BackendKernel, Gradients, kernel } from '../kernel.ts'

interface Attributes {
  from: [rows: number, columns: number]
  to: [rows: number, columns: number]
}

const grids = ({ from: [rows, columns], to: [newRows, newColumns] }: Attributes) => ({
  rows,
  columns,
  newRows,
  newColumns,
})

export const interpolatePositions: BackendKernel = kernel<{ positionEmbeddings: TensorInfo }, Attributes>(
  'VitralInterpolatePositions',
  (backend, { positionEmbeddings }, attrs) => {
    const { to } = attrs
    const hiddenSize = positionEmbeddings.shape[2] as number
    const { info, values } = backend.allocate([1, 1 + to[0] * to[1], hiddenSize])
    backend.kernels.interpolatePositions({
      ...grids(attrs),
      hiddenSize,
      positionEmbeddings: backend.floats(positionEmbeddings),
      output: values,
    })
    return info
  },
)

export const interpolatePositionsGrad: BackendKernel = kernel<{ dy: TensorInfo }, Attributes & Backward>(
  'VitralInterpolatePositionsGrad',
  (backend, { dy }, attrs) => {
    const { from } = attrs
    const hiddenSize = dy.shape[2] as number
    const gradients = new Gradients(backend, attrs)
    const dx = gradients.floats('positionEmbeddings', [1, 1 + from[0] * from[1], hiddenSize])
    if (dx) backend.kernels.interpolatePositionsGrad({ ...grids(attrs), hiddenSize, dy: backend.floats(dy), dx })
    return gradients.all()
  },
)
