/** The activations but for the exact GELU, element by element: each takes an exponential, which memory does not wait for. */
import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { Activation } from '../../ops/activations.ts'
import type { Backward } from '../arguments.ts'
import { type BackendKernel, Gradients, kernel } from '../kernel.ts'

interface Attributes {
  activation: Exclude<Activation, 'gelu'>
}

interface Formula {
  value: (x: Float32Array, output: Float32Array) => void
  /** dy times the slope at x. */
  gradient: (x: Float32Array, dy: Float32Array, dx: Float32Array) => void
}

/** x·σ(a·x) */
const sigmoidUnit = (a: number): Formula => ({
  value(x, output) {
    for (let i = 0; i < x.length; i++) output[i] = (x[i] as number) / (1 + Math.exp(-a * (x[i] as number)))
  },
  gradient(x, dy, dx) {
    for (let i = 0; i < x.length; i++) {
      const sigmoid = 1 / (1 + Math.exp(-a * (x[i] as number)))
      dx[i] = (dy[i] as number) * (sigmoid + a * (x[i] as number) * sigmoid * (1 - sigmoid))
    }
  },
})

const slope = Math.sqrt(2 / Math.PI)
const cubic = 0.044715

const formulas: Readonly<Record<Attributes['activation'], Formula>> = {
  // (1 + tanh z) / 2 is σ(2·z)
  gelu_tanh: {
    value(x, output) {
      for (let i = 0; i < x.length; i++) {
        const at = x[i] as number
        output[i] = at / (1 + Math.exp(-2 * slope * at * (1 + cubic * at * at)))
      }
    },
    gradient(x, dy, dx) {
      for (let i = 0; i < x.length; i++) {
        const at = x[i] as number
        const sigmoid = 1 / (1 + Math.exp(-2 * slope * at * (1 + cubic * at * at)))
        const inner = 2 * slope * (1 + 3 * cubic * at * at)
        dx[i] = (dy[i] as number) * (sigmoid + at * sigmoid * (1 - sigmoid) * inner)
      }
    },
  },
  quick_gelu: sigmoidUnit(1.702),
  silu: sigmoidUnit(1),
  relu: {
    value(x, output) {
      for (let i = 0; i < x.length; i++) output[i] = Math.max(0, x[i] as number)
    },
    gradient(x, dy, dx) {
      for (let i = 0; i < x.length; i++) dx[i] = (x[i] as number) > 0 ? (dy[i] as number) : 0
    },
  },
}

export const activate: BackendKernel = kernel<{ x: TensorInfo }, Attributes>(
  'VitralActivate',
  (backend, { x }, { activation }) => {
    const { info, values } = backend.allocate(x.shape)
    formulas[activation].value(backend.floats(x), values)
    return info
  },
)

export const activateGrad: BackendKernel = kernel<Record<'x' | 'dy', TensorInfo>, Attributes & Backward>(
  'VitralActivateGrad',
  (backend, { x, dy }, attrs) => {
    const gradients = new Gradients(backend, attrs)
    const dx = gradients.floats('x', x.shape)
    if (dx) formulas[attrs.activation].gradient(backend.floats(x), backend.floats(dy), dx)
    return gradients.all()
  },
)
