/** A linear layer, with an activation before it if wanted. */
import { add, matMul, reshape, type Tensor, type Tensor1D, type Tensor2D } from '@tensorflow/tfjs-core'
import { defineOp } from '../tape/op.ts'
import { checkLastAxis, checkShape } from './check.ts'
import { geluReference } from './gelu.ts'

export interface LinearOptions {
  /**
   * Applied to x as it is read, so that its result is never stored: of a feed-forward network only what goes into the
   * activation is kept for the gradient. @default 'none'
   */
  inputActivation?: 'none' | 'gelu'
}

const op = defineOp({
  kernel: 'VitralLinear',
  save: ['x', 'weight'],
  half: true,
  gradients: ['x', 'weight', 'bias'],
  reference(
    { x, weight, bias }: { x: Tensor; weight: Tensor; bias: Tensor | undefined },
    { inputActivation }: { inputActivation: string },
  ) {
    return linearReference(inputActivation === 'gelu' ? geluReference(x) : x, weight, bias)
  },
})

/** x·Wᵀ + b in stock ops. Two-dimensional, since tfjs's gradient of a product broadcast over a batch is wrong. */
export function linearReference(x: Tensor, weight: Tensor, bias: Tensor | undefined): Tensor {
  const [outSize, inSize] = weight.shape as Tensor2D['shape']
  const product = matMul(reshape(x, [-1, inSize]), weight as Tensor2D, false, true)
  return reshape(bias ? add(product, bias) : product, [...x.shape.slice(0, -1), outSize])
}

/**
 * inputActivation(x)·Wᵀ + b, torch.nn.functional.linear with a prologue. FLOPs 2·M·In·Out.
 *
 * @param x [..., In]
 * @param weight [Out, In], PyTorch's layout
 * @param bias [Out], or none
 * @returns [..., Out]
 */
export function linear<T extends Tensor>(
  x: T,
  weight: Tensor2D,
  bias?: Tensor1D,
  { inputActivation = 'none' }: LinearOptions = {},
): T {
  checkShape('linear', 'weight', weight, ['outSize', 'inSize'])
  checkLastAxis('linear', 'x', x, weight.shape[1])
  if (bias) checkShape('linear', 'bias', bias, [weight.shape[0]])
  return op({ x, weight, bias }, { inputActivation }) as T
}
