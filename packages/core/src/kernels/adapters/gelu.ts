import type { TensorInfo } from '@tensorflow/tfjs-core'
import { type Backward, sizeOf } from '../arguments.ts'
import { type BackendKernel, Gradients, kernel } from '../kernel.ts'

export const gelu: BackendKernel = kernel<{ x: TensorInfo }, object>('VitralGelu', (backend, { x }) => {
  const { info, values } = backend.allocate(x.shape)
  backend.kernels.gelu({ size: sizeOf(x), x: backend.floats(x), output: values })
  return info
})

export const geluGrad: BackendKernel = kernel<Record<'dy' | 'x', TensorInfo>, Backward>(
  'VitralGeluGrad',
  (backend, { dy, x }, attrs) => {
    const gradients = new Gradients(backend, attrs)
    const dx = gradients.floats('x', x.shape)
    if (dx) backend.kernels.geluGrad({ size: sizeOf(x), dy: backend.floats(dy), x: backend.floats(x), dx })
    return gradients.all()
  },
)
