/** The activations of an MLP that are not the exact GELU's kernel: they run as stock ops on every backend. */
import { add, mul, relu, sigmoid, type Tensor, tanh } from '@tensorflow/tfjs-core'
import { defineOp } from '../tape/op.ts'
import { type Activation, activations } from './activations.ts'
import { checkChoice, checkLastAxis } from './arguments.ts'
import { gelu } from './gelu.ts'

const functions: Readonly<Record<Exclude<Activation, 'gelu'>, (x: Tensor) => Tensor>> = {
  gelu_tanh: x => {
    const inner = mul(mul(x, Math.sqrt(2 / Math.PI)), add(1, mul(mul(x, x), 0.044715)))
    return mul(mul(x, 0.5), add(1, tanh(inner)))
  },
  quick_gelu: x => mul(x, sigmoid(mul(x, 1.702))),
  silu: x => mul(x, sigmoid(x)),
  relu,
}

const op = defineOp({
  kernel: 'VitralActivate',
  save: ['x'],
  gradients: ['x'],
  reference: ({ x }: { x: Tensor }, { activation }: { activation: Exclude<Activation, 'gelu'> }) =>
    functions[activation](x),
})

/**
 * An activation by its name in ViTConfig: transformers' `gelu`, `gelu_pytorch_tanh`, `quick_gelu`, `silu` and `relu`.
 *
 * @param x any shape
 * @returns shape of x
 * @example
 * activate(tensor1d([1]), 'quick_gelu') // [0.8458]
 */
export function activate<T extends Tensor>(x: T, activation: Activation): T {
  checkLastAxis('activate', 'x', x, x.shape.at(-1) ?? 1)
  checkChoice('activate', 'activation', activation, activations)
  return activation === 'gelu' ? gelu(x) : op({ x }, { activation })
}
