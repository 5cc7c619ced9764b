/** Three thin products. The factor is taken into A or B, which are small, so that no matrix of W's size is read for it. */
import type { KernelConfig, TensorInfo } from '@tensorflow/tfjs-core'
import { type Backward, Gradients, kernel, sizeOf } from '../kernel.ts'

type Factors = Record<'loraA' | 'loraB', TensorInfo>

interface Attributes {
  scaling: number
}

const scaled = (values: Float32Array, factor: number): Float32Array => values.map(value => value * factor)

export const loraWeight: KernelConfig = kernel<Factors & { weight: TensorInfo }, Attributes>(
  'VitralLoraWeight',
  (backend, { weight, loraA, loraB }, { scaling }) => {
    const [rank, inputs] = loraA.shape as [number, number]
    const outputs = loraB.shape[0] as number
    const { info, values } = backend.allocate(weight.shape)
    const factor = scaled(backend.floats(loraA), scaling)
    backend.addon.matMul(1, outputs, inputs, rank, backend.floats(loraB), false, factor, false, values)
    backend.addon.add(sizeOf(weight), backend.floats(weight), values, values)
    return info
  },
)

/** The gradient of the weight is dy itself: shared, not copied. */
export const loraWeightGrad: KernelConfig = kernel<Factors & { dy: TensorInfo }, Attributes & Backward>(
  'VitralLoraWeightGrad',
  (backend, { dy, loraA, loraB }, attrs) => {
    const [rank, inputs] = loraA.shape as [number, number]
    const outputs = loraB.shape[0] as number
    const gradients = new Gradients(backend, attrs)
    if (gradients.wants('weight')) gradients.set('weight', backend.share(dy))
    const [dA, dB] = [gradients.floats('loraA', loraA.shape), gradients.floats('loraB', loraB.shape)]
    const up = backend.floats(dy)
    if (dA) {
      const factor = scaled(backend.floats(loraB), attrs.scaling)
      backend.addon.matMul(1, rank, inputs, outputs, factor, true, up, false, dA)
    }
    if (dB) {
      const factor = scaled(backend.floats(loraA), attrs.scaling)
      backend.addon.matMul(1, outputs, rank, inputs, up, false, factor, true, dB)
    }
    return gradients.all()
  },
)
