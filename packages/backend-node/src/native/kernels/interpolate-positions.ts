import type { KernelConfig, TensorInfo } from '@tensorflow/tfjs-core'
import { type Backward, Gradients, kernel } from '../kernel.ts'

interface Attributes {
  from: [rows: number, columns: number]
  to: [rows: number, columns: number]
}

export const interpolatePositions: KernelConfig = kernel<{ positionEmbeddings: TensorInfo }, Attributes>(
  'VitralInterpolatePositions',
  (backend, { positionEmbeddings }, { from, to }) => {
    const hiddenSize = positionEmbeddings.shape[2] as number
    const { info, values } = backend.allocate([1, 1 + to[0] * to[1], hiddenSize])
    backend.addon.interpolatePositions(...from, ...to, hiddenSize, backend.floats(positionEmbeddings), values)
    return info
  },
)

export const interpolatePositionsGrad: KernelConfig = kernel<{ dy: TensorInfo }, Attributes & Backward>(
  'VitralInterpolatePositionsGrad',
  (backend, { dy }, attrs) => {
    const { from, to } = attrs
    const hiddenSize = dy.shape[2] as number
    const gradients = new Gradients(backend, attrs)
    const dx = gradients.floats('positionEmbeddings', [1, 1 + from[0] * from[1], hiddenSize])
    if (dx) backend.addon.interpolatePositionsGrad(...from, ...to, hiddenSize, backend.floats(dy), dx)
    return gradients.all()
  },
)
