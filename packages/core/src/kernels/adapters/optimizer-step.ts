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

/** A step of Adam, or of AdamW. */
export interface AdamAttributes extends Attributes {
  /** Which of the three it is. */
  algorithm: 'adam'
  /** What the mean of the gradients keeps of itself. */
  beta1: number
  /** What the mean of their squares keeps. */
  beta2: number
  /** What is added to the root of that mean. */
  eps: number
  /** Whether the weight decay is AdamW's, beside the gradient and not in it. */
  decoupled: boolean
}

/** A step of stochastic gradient descent. */
export interface SgdAttributes extends Attributes {
  /** Which of the three it is. */
  algorithm: 'sgd'
  /** What the sum of the gradients keeps of itself. */
  momentum: number
  /** Whether the step looks ahead by it. */
  nesterov: boolean
}

/** A step of Lion. */
export interface LionAttributes extends Attributes {
  /** Which of the three it is. */
  algorithm: 'lion'
  /** What the direction takes of the mean of the gradients. */
  beta1: number
  /** What the mean keeps of itself. */
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
