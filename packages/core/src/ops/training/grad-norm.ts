/** The global norm of a set of gradients. */
import { add, addN, type Scalar, sqrt, square, sum, type Tensor } from '@tensorflow/tfjs-core'
import { defineStep } from '../../tape/op.ts'
import { checkGradients } from '../arguments.ts'
import { numbered } from './indexed-inputs.ts'

const op = defineStep('VitralGradNorm', (inputs, { count }: { count: number }) => {
  const squares = numbered(inputs, 'g', count).map(gradient => sum(square(gradient)))
  return [sqrt(squares.length > 1 ? addN(squares) : add(squares[0] as Tensor, 0))]
})

/**
 * The 2-norm of all gradients together, as torch.nn.utils.clip_grad_norm_ measures it.
 *
 * @param gradients one or more float32 tensors
 * @returns scalar
 */
export function gradNorm(gradients: readonly Tensor[]): Scalar {
  checkGradients('gradNorm', gradients)
  const inputs = Object.fromEntries(gradients.map((gradient, i) => [`g${i}`, gradient]))
  return op(inputs, { count: gradients.length })[0] as Scalar
}
