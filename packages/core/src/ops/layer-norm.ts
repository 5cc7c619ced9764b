/** Layer normalisation over the last axis. */
import { add, mean, mul, rsqrt, square, sub, type Tensor, type Tensor1D } from '@tensorflow/tfjs-core'
import { defineOp } from '../tape/op.ts'
import { checkLastAxis, checkShape } from './arguments.ts'
import { checkOutputDtype, type OutputDtype, type OutputDtypeOption } from './output-dtype.ts'

const op = defineOp({
  kernel: 'VitralLayerNorm',
  save: ['x', 'weight'],
  sideOutputs: ['mean', 'rstd'], // [M] each: two numbers a row are cheaper to keep than to sum again
  half: true, // the arithmetic is float32; the precision decides the result's format alone
  gradients: ['x', 'weight', 'bias'],
  reference(
    { x, weight, bias }: { x: Tensor; weight: Tensor; bias: Tensor },
    { eps }: { eps: number; outputDtype: OutputDtype },
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
  { outputDtype = 'float32' }: OutputDtypeOption = {},
): T {
  checkShape('layerNorm', 'weight', weight, ['hiddenSize'])
  checkShape('layerNorm', 'bias', bias, [weight.size])
  checkLastAxis('layerNorm', 'x', x, weight.size)
  if (!(eps >= 0)) throw new Error(`layerNorm: eps is ${eps}; expected a number that is not negative.`)
  checkOutputDtype('layerNorm', outputDtype)
  return op({ x, weight, bias }, { eps, outputDtype })
}
