import type { KernelConfig, TensorInfo } from '@tensorflow/tfjs-core'
import { type Backward, Gradients, kernel, sizeOf } from '../kernel.ts'

export const gelu: KernelConfig = kernel<{ x: TensorInfo }, object>('VitralGelu', (backend, { x }) => {
  const { info, values } = backend.allocate(x.shape)
  backend.addon.gelu({ size: sizeOf(x), x: backend.floats(x), output: values })
  return info
})

export const geluGrad: KernelConfig = kernel<Record<'dy' | 'x', TensorInfo>, Backward>(
  'VitralGeluGrad',
  (backend, { dy, x }, attrs) => {
    const gradients = new Gradients(backend, attrs)
    const dx = gradients.floats('x', x.shape)
    if (dx) backend.addon.geluGrad({ size: sizeOf(x), dy: backend.floats(dy), x: backend.floats(x), dx })
    return gradients.all()
  },
)
