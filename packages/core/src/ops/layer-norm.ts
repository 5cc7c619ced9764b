/** Layer normalisation over the last axis. */
import { add, mean, mul, rsqrt, square, sub, type Tensor, type Tensor1D } from '@tensorflow/tfjs-core'
import { defineOp } from '../tape/op.ts'
import { checkLastAxis, checkShape } from './check.ts'
import { checkStored, type Stored, type StoredOption } from './stored.ts'

const op = defineOp({
  kernel: 'VitralLayerNorm',
  save: ['x', 'weight'],
  sideOutputs: ['mean', 'rstd'], // [M] each: two numbers a row are cheaper to keep than to sum again
  half: true, // for what the result is stored in alone
  gradients: ['x', 'weight', 'bias'],
  reference(
    { x, weight, bias }: { x: Tensor; weight: Tensor; bias: Tensor },
    { eps }: { eps: number; stored: Stored },
  ) {
    const centered = sub(x, mean(x, -1, true))
    const variance = mean(square(centered), -1, true)
    return add(mul(mul(centered, rsqrt(add(variance, eps))), weight), bias)
  },
})

/**
 * (x − mean) / sqrt(variance + eps) · weight + bias, with the biased variance of the last axis, as
 * torch.nn.functional.layer_norm. Always computed in float32. FLOPs 8·M·C; bytes 8·M·C: bound by memory.
 *
 * @param x [..., C]
 * @param weight [C]
 * @param bias [C]
 * @param eps added to the variance; HF's ViT has 1e-12
 * @returns shape of x
 */
export function layerNorm<T extends Tensor>(
  x: T,
  weight: Tensor1D,
  bias: Tensor1D,
  eps: number,
  { stored = 'float32' }: StoredOption = {},
): T {
  checkShape('layerNorm', 'weight', weight, ['hiddenSize'])
  checkShape('layerNorm', 'bias', bias, [weight.size])
  checkLastAxis('layerNorm', 'x', x, weight.size)
  if (!(eps >= 0)) throw new Error(`layerNorm: eps is ${eps}; expected a number that is not negative.`)
  checkStored('layerNorm', stored)
  return op({ x, weight, bias }, { eps, stored }) as T
}
