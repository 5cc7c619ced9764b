import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { Backward } from '../arguments.ts'
import { type BackendKernel, Gradients, kernel } from '../kernel.ts'

interface Attributes {
  index: number
  tokens: number
}

export const selectToken: BackendKernel = kernel<{ x: TensorInfo }, Attributes>(
  'VitralSelectToken',
  (backend, { x }, { index }) => {
    const [batch, tokens, hiddenSize] = x.shape as [number, number, number]
    const { info, values } = backend.allocate([batch, hiddenSize])
    backend.kernels.selectToken({ batch, tokens, hiddenSize, index, x: backend.floats(x), output: values })
    return info
  },
)

export const selectTokenGrad: BackendKernel = kernel<{ dy: TensorInfo }, Attributes & Backward>(
  'VitralSelectTokenGrad',
  (backend, { dy }, attrs) => {
    const { index, tokens } = attrs
    const [batch, hiddenSize] = dy.shape as [number, number]
    const gradients = new Gradients(backend, attrs)
    const dx = gradients.floats('x', [batch, tokens, hiddenSize])
    if (dx) backend.kernels.selectTokenGrad({ batch, tokens, hiddenSize, index, dy: backend.floats(dy), dx })
    return gradients.all()
  },
)
