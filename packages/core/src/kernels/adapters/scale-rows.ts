/** One pass over the weight, of memory's speed: nothing that compiled code would do better. */
import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { Backward } from '../arguments.ts'
import { type BackendKernel, Gradients, kernel } from '../kernel.ts'

type Scaled = Record<'x' | 'factors', TensorInfo>

function scale(x: Float32Array, factors: Float32Array, output: Float32Array): void {
  const columns = x.length / factors.length
  for (let row = 0, i = 0; row < factors.length; row++) {
    const factor = factors[row] as number
    for (const end = i + columns; i < end; i++) output[i] = (x[i] as number) * factor
  }
}

export const scaleRows: BackendKernel = kernel<Scaled, object>('VitralScaleRows', (backend, { x, factors }) => {
  const { info, values } = backend.allocate(x.shape)
  scale(backend.floats(x), backend.floats(factors), values)
  return info
})

export const scaleRowsGrad: BackendKernel = kernel<Scaled & { dy: TensorInfo }, Backward>(
  'VitralScaleRowsGrad',
  (backend, { dy, x, factors }, attrs) => {
    const gradients = new Gradients(backend, attrs)
    const [dx, dFactors] = [gradients.floats('x', x.shape), gradients.floats('factors', factors.shape)]
    const [up, values] = [backend.floats(dy), backend.floats(x)]
    if (dx) scale(up, backend.floats(factors), dx)
    const columns = values.length / backend.floats(factors).length
    if (dFactors)
      for (let row = 0, i = 0; row < dFactors.length; row++) {
        let sum = 0
        for (const end = i + columns; i < end; i++) sum += (up[i] as number) * (values[i] as number)
        dFactors[row] = sum
      }
    return gradients.all()
  },
)
