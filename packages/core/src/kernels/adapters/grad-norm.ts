import { type IndexedInputs, indexedInputs } from '../arguments.ts'
import { type BackendKernel, kernel } from '../kernel.ts'

export const gradNorm: BackendKernel = kernel<IndexedInputs, { count: number }>(
  'VitralGradNorm',
  (backend, inputs, { count }) => {
    const { info, values } = backend.allocate([])
    const gradients = indexedInputs(inputs, 'g', count).map(gradient => backend.floats(gradient))
    values[0] = backend.kernels.gradNorm({ gradients })
    return info
  },
)
