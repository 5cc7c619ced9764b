/** Undoes loss scaling: divides gradients and reports infinities. */
import {
  addN,
  cast,
  isFinite as finite,
  logicalNot,
  minimum,
  mul,
  type Scalar,
  sum,
  type Tensor,
} from '@tensorflow/tfjs-core'
import { defineStep } from '../../tape/op.ts'
import { checkGradients } from '../arguments.ts'
import { numbered } from './indexed-inputs.ts'

const op = defineStep('VitralUnscale', (inputs, { count, scale }: { count: number; scale: number }) => {
  const gradients = numbered(inputs, 'g', count)
  const offenders = gradients.map(gradient => sum(cast(logicalNot(finite(gradient)), 'float32')))
  const found = minimum(addN(offenders), 1)
  return [...gradients.map(gradient => mul(gradient, scale)), found]
})

/**
 * Multiplies every gradient by `scale` and tells whether any element was infinite or NaN, as the unscaling step of
 * torch.cuda.amp.GradScaler (`_amp_foreach_non_finite_check_and_unscale_`).
 *
 * @param gradients one or more float32 tensors
 * @param scale the inverse of the loss scale
 * @returns new gradients, and the scalar `foundNonFinite`: 1 or 0
 */
export function unscale(gradients: readonly Tensor[], scale: number): { gradients: Tensor[]; foundNonFinite: Scalar } {
  checkGradients('unscale', gradients)
  const inputs = Object.fromEntries(gradients.map((gradient, i) => [`g${i}`, gradient]))
  const outputs = op(inputs, { count: gradients.length, scale })
  return { gradients: outputs.slice(0, -1), foundNonFinite: outputs.at(-1) as Scalar }
}
