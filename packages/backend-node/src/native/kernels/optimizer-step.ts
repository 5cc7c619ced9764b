import type { KernelConfig, TensorInfo } from '@tensorflow/tfjs-core'
import { kernel } from '../kernel.ts'

type Numbered = Record<string, TensorInfo>

interface Attributes {
  count: number
  slots: number
  step: number
  lr: number
  weightDecay: number
  gradientScale: number
  gradientLimit: number
}

interface Adam extends Attributes {
  algorithm: 'adam'
  beta1: number
  beta2: number
  eps: number
  decoupled: boolean
}

interface Sgd extends Attributes {
  algorithm: 'sgd'
  momentum: number
  nesterov: boolean
}

interface Lion extends Attributes {
  algorithm: 'lion'
  beta1: number
  beta2: number
}

/** The inputs `<prefix>0`, `<prefix>1`, … */
const numbered = (inputs: Numbered, prefix: string, count: number): TensorInfo[] =>
  Array.from({ length: count }, (_, i) => inputs[`${prefix}${i}`] as TensorInfo)

export const gradNorm: KernelConfig = kernel<Numbered, { count: number }>(
  'VitralGradNorm',
  (backend, inputs, { count }) => {
    const { info, values } = backend.allocate([])
    values[0] = backend.addon.gradNorm(numbered(inputs, 'g', count).map(gradient => backend.floats(gradient)))
    return info
  },
)

export const unscale: KernelConfig = kernel<Numbered, { count: number; scale: number }>(
  'VitralUnscale',
  (backend, inputs, { count, scale }) => {
    const gradients = numbered(inputs, 'g', count)
    const outputs = gradients.map(({ shape }) => backend.allocate(shape))
    const found = backend.allocate([])
    const sources = gradients.map(gradient => backend.floats(gradient))
    const targets = outputs.map(({ values }) => values)
    found.values[0] = backend.addon.unscale(sources, scale, targets) ? 0 : 1
    return [...outputs, found].map(({ info }) => info)
  },
)

export const optimizerStep: KernelConfig = kernel<Numbered, Adam | Sgd | Lion>(
  'VitralOptimizerStep',
  (backend, inputs, attrs) => {
    const { count, slots, step, lr, weightDecay, gradientScale, gradientLimit } = attrs
    const inPlace = (prefix: string) => numbered(inputs, prefix, count).map(tensor => backend.floatsInPlace(tensor))
    const gradients = numbered(inputs, 'g', count).map(gradient => backend.floats(gradient))
    const parameters = inPlace('p')
    const state = Array.from({ length: slots }, (_, slot) => inPlace(`s${slot}_`))
    const [first = [], second = []] = state
    if (attrs.algorithm === 'adam') {
      const { beta1, beta2, eps, decoupled } = attrs
      const options = [step, lr, beta1, beta2, eps, weightDecay, gradientScale, gradientLimit, decoupled] as const
      backend.addon.adamStep(...options, gradients, parameters, first, second)
    } else if (attrs.algorithm === 'lion') {
      const { beta1, beta2 } = attrs
      const options = [lr, beta1, beta2, weightDecay, gradientScale, gradientLimit] as const
      backend.addon.lionStep(...options, gradients, parameters, first)
    } else {
      const { momentum, nesterov } = attrs
      const options = [step, lr, momentum, weightDecay, gradientScale, gradientLimit, nesterov] as const
      backend.addon.sgdStep(...options, gradients, parameters, first)
    }
    return []
  },
)
