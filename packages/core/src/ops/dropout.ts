/** Inverted dropout. */
import { mul, type Tensor, tensor } from '@tensorflow/tfjs-core'
import { checkInteger } from '../check.ts'
import { defineOp } from '../tape/op.ts'
import { keepMask } from '../tape/random.ts'
import { checkLastAxis, checkProbability } from './arguments.ts'

/** Options of dropout. */
export interface DropoutOptions {
  /** Share of the elements that become 0, from 0 to below 1. */
  probability: number
  /** Element i depends on (seed, i) alone; the backward pass makes the same mask again. */
  seed: number
}

const op = defineOp({
  kernel: 'VitralDropout',
  save: [],
  gradients: ['x'],
  reference: ({ x }: { x: Tensor }, { probability, seed }: { probability: number; seed: number }) =>
    mul(x, tensor(keepMask(seed, probability, x.size), x.shape)),
})

/**
 * Zeroes elements with `probability` and divides the rest by 1 − probability, as torch.nn.functional.dropout in training.
 *
 * @param x any shape
 * @returns shape of x; x itself, as a new tensor, when the probability is 0
 */
export function dropout<T extends Tensor>(x: T, { probability, seed }: DropoutOptions): T {
  checkLastAxis('dropout', 'x', x, x.shape.at(-1) ?? 1)
  checkProbability('dropout', 'probability', probability)
  checkInteger('dropout: seed', seed)
  return op({ x }, { probability, seed })
}
