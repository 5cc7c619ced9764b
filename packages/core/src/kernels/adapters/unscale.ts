import { type IndexedInputs, indexedInputs } from '../arguments.ts'
import { type BackendKernel, kernel } from '../kernel.ts'

export const unscale: BackendKernel = kernel<IndexedInputs, { count: number; scale: number }>(
  'VitralUnscale',
  (backend, inputs, { count, scale }) => {
    const gradients = indexedInputs(inputs, 'g', count)
    const outputs = gradients.map(({ shape }) => backend.allocate(shape))
    const found = backend.allocate([])
    const finite = backend.kernels.unscale({
      gradients: gradients.map(gradient => backend.floats(gradient)),
      scale,
      outputs: outputs.map(({ values }) => values),
    })
    found.values[0] = finite ? 0 : 1
    return [...outputs, found].map(({ info }) => info)
  },
)
