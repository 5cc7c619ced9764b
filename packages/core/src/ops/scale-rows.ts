/** The rows of a weight times a factor each: layer scale, taken into the layer that it scales. */
import { mul, reshape, type Tensor, type Tensor1D } from '@tensorflow/tfjs-core'
import { defineOp } from '../tape/op.ts'
import { checkShape } from './arguments.ts'

const op = defineOp({
  kernel: 'VitralScaleRows',
  save: ['x', 'factors'],
  gradients: ['x', 'factors'],
  reference: ({ x, factors }: { x: Tensor; factors: Tensor }) =>
    mul(x, reshape(factors, [factors.size, ...x.shape.slice(1).fill(1)])),
})

/**
 * diag(factors)·x: a linear layer with these weights and biases gives its result times the factors (CaiT's layer scale,
 * Touvron et al. 2021), by the kernels of any linear layer. FLOPs Out·In, and twice that for the gradients; the tokens are
 * not read again, as they would be by a product of the result.
 *
 * @param x [Out, In], a weight, or [Out], a bias
 * @param factors [Out]
 * @returns shape of x
 */
export function scaleRows<T extends Tensor>(x: T, factors: Tensor1D): T {
  checkShape('scaleRows', 'factors', factors, ['outSize'])
  checkShape('scaleRows', 'x', x, [factors.size, ...x.shape.slice(1)])
  return op({ x, factors }, {})
}
