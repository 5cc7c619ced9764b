import { type BackendKernel, kernel } from '../kernel.ts'
import { type IndexedInputs, indexedInputs } from './indexed-inputs.ts'

export const gradNorm: BackendKernel = kernel<IndexedInputs, { count: number }>(
  'VitralGradNorm',
  (backend, inputs, { count }) => {
    const { info, values } = backend.allocate([])
    const gradients = indexedInputs(inputs, 'g', count).map(gradient => backend.floats(gradient))
    values[0] = backend.kernels.gradNorm({ gradients })
    return info
  },
)
