/** The residual connection, with drop path. */
import { add, mul, type Tensor, tensor } from '@tensorflow/tfjs-core'
import { defineOp } from '../tape/op.ts'
import { keepMask } from '../tape/random.ts'
import { checkProbability, checkShape } from './check.ts'

export interface ResidualOptions {
  /** Probability of leaving the branch out for a whole sample. @default 0 */
  dropPathProbability?: number
  /** Of the drop path: sample b depends on (seed, b) alone. @default 0 */
  seed?: number
}

const op = defineOp({
  kernel: 'VitralResidual',
  save: [], // a stock add would keep both inputs alive just for their shapes
  gradients: ['x', 'branch'],
  reference(
    { x, branch }: { x: Tensor; branch: Tensor },
    { dropPathProbability, seed }: { dropPathProbability: number; seed: number },
  ) {
    if (dropPathProbability === 0) return add(x, branch)
    const batch = x.shape[0] as number
    const keep = tensor(keepMask(seed, dropPathProbability, batch), [batch, ...x.shape.slice(1).map(() => 1)])
    return add(x, mul(branch, keep))
  },
})

/**
 * x + branch·keep, where keep is 0 or 1 / (1 − p) for each sample: stochastic depth (Huang et al. 2016), timm's DropPath.
 *
 * @param x [B, ...]
 * @param branch shape of x
 * @returns shape of x
 */
export function residual<T extends Tensor>(
  x: T,
  branch: T,
  { dropPathProbability = 0, seed = 0 }: ResidualOptions = {},
): T {
  checkShape('residual', 'branch', branch, x.shape)
  checkShape('residual', 'x', x, branch.shape)
  checkProbability('residual', 'dropPathProbability', dropPathProbability)
  return op({ x, branch }, { dropPathProbability, seed }) as T
}
