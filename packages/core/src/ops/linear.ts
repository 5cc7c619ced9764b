/** A linear layer with its activation. */
import { add, matMul, reshape, type Tensor, type Tensor1D, type Tensor2D } from '@tensorflow/tfjs-core'
import { defineOp } from '../tape/op.ts'
import { checkLastAxis, checkShape } from './check.ts'
import { geluReference } from './gelu.ts'

export interface LinearOptions {
  /** Applied to the result in the same pass. @default 'none' */
  activation?: 'none' | 'gelu'
}

const op = defineOp({
  kernel: 'VitralLinear',
  save: ['x', 'weight'],
  sideOutputs: ['preActivation'], // [..., Out], only with an activation: its derivative needs it
  half: true,
  gradients: ['x', 'weight', 'bias'],
  reference(
    { x, weight, bias }: { x: Tensor; weight: Tensor; bias: Tensor | undefined },
    { activation }: { activation: string },
  ) {
    const y = linearReference(x, weight, bias)
    return activation === 'gelu' ? geluReference(y) : y
  },
})

/** x·Wᵀ + b in stock ops. Two-dimensional, since tfjs's gradient of a product broadcast over a batch is wrong. */
export function linearReference(x: Tensor, weight: Tensor, bias: Tensor | undefined): Tensor {
  const [outSize, inSize] = weight.shape as Tensor2D['shape']
  const product = matMul(reshape(x, [-1, inSize]), weight as Tensor2D, false, true)
  return reshape(bias ? add(product, bias) : product, [...x.shape.slice(0, -1), outSize])
}

/**
 * activation(x·Wᵀ + b), torch.nn.functional.linear with an epilogue. FLOPs 2·M·In·Out.
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
  { activation = 'none' }: LinearOptions = {},
): T {
  checkShape('linear', 'weight', weight, ['outSize', 'inSize'])
  checkLastAxis('linear', 'x', x, weight.shape[1])
  if (bias) checkShape('linear', 'bias', bias, [weight.shape[0]])
  return op({ x, weight, bias }, { activation }) as T
}
