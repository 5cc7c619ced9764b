/** The exact Gaussian error linear unit. */
import { add, erf, mul, type Tensor } from '@tensorflow/tfjs-core'
import { defineOp } from '../tape/op.ts'
import { checkLastAxis } from './arguments.ts'

const op = defineOp({
  kernel: 'VitralGelu',
  save: ['x'],
  gradients: ['x'],
  reference: ({ x }: { x: Tensor }) => geluReference(x),
})

/** x·Φ(x) in stock ops, for the references that have it as an epilogue. */
export const geluReference = (x: Tensor): Tensor => mul(mul(x, 0.5), add(1, erf(mul(x, Math.SQRT1_2))))

/**
 * x·Φ(x) = x/2·(1 + erf(x/√2)), exact as torch.nn.functional.gelu(approximate='none') (Hendrycks and Gimpel 2016).
 *
 * @param x any shape
 * @returns shape of x
 */
export function gelu<T extends Tensor>(x: T): T {
  checkLastAxis('gelu', 'x', x, x.shape.at(-1) ?? 1)
  return op({ x }, {})
}
