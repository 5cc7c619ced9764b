import { type IndexedInputs, indexedInputs } from '../arguments.ts'
import { type BackendKernel, kernel } from '../kernel.ts'

interface Attributes {
  count: number
  slots: number
  step: number
  lr: number
  weightDecay: number
  gradientScale: number
  gradientLimit: number
}

export interface AdamAttributes extends Attributes {
  algorithm: 'adam'
  beta1: number
  beta2: number
  eps: number
  decoupled: boolean
}

export interface SgdAttributes extends Attributes {
  algorithm: 'sgd'
  momentum: number
  nesterov: boolean
}

export interface LionAttributes extends Attributes {
  algorithm: 'lion'
  beta1: number
  beta2: number
}

export const optimizerStep: BackendKernel = kernel<IndexedInputs, AdamAttributes | SgdAttributes | LionAttributes>(
  'VitralOptimizerStep',
  (backend, inputs, attrs) => {
    const { count, slots, lr, weightDecay, gradientScale, gradientLimit } = attrs
    const inPlace = (prefix: string) =>
      indexedInputs(inputs, prefix, count).map(tensor => backend.floatsInPlace(tensor))
    const gradients = indexedInputs(inputs, 'g', count).map(gradient => backend.floats(gradient))
    const parameters = inPlace('p')
    const [first = [], second = []] = Array.from({ length: slots }, (_, slot) => inPlace(`s${slot}_`))
    const call = { lr, weightDecay, gradientScale, gradientLimit, gradients, parameters }
    if (attrs.algorithm === 'adam') {
      const { step, beta1, beta2, eps, decoupled } = attrs
      backend.kernels.adamStep({ ...call, step, beta1, beta2, eps, decoupled, first, second })
    } else if (attrs.algorithm === 'lion') {
      const { beta1, beta2 } = attrs
      backend.kernels.lionStep({ ...call, beta1, beta2, averages: first })
    } else {
      const { step, momentum, nesterov } = attrs
      backend.kernels.sgdStep({ ...call, step, momentum, nesterov, velocities: first })
    }
    return []
  },
)
