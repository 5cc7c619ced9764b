import type { KernelConfig } from '@tensorflow/tfjs-core'
import { kernel } from '../kernel.ts'
import { type IndexedInputs, indexedInputs } from './indexed-inputs.ts'

export const gradNorm: KernelConfig = kernel<IndexedInputs, { count: number }>(
  'VitralGradNorm',
  (backend, inputs, { count }) => {
    const { info, values } = backend.allocate([])
    const gradients = indexedInputs(inputs, 'g', count).map(gradient => backend.floats(gradient))
    values[0] = backend.addon.gradNorm({ gradients })
    return info
  },
)
