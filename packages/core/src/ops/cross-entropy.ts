/** The classification loss. */
import {
  add,
  logSumExp,
  mean,
  mul,
  oneHot,
  type Scalar,
  sub,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
} from '@tensorflow/tfjs-core'
import { defineOp } from '../tape/op.ts'
import { checkProbability, checkShape } from './check.ts'

export interface CrossEntropyOptions {
  /** ε: the target becomes (1 − ε)·target + ε/K. @default 0 */
  labelSmoothing?: number
}

const op = defineOp({
  kernel: 'VitralCrossEntropy',
  save: ['logits', 'labels'],
  gradients: ['logits'],
  reference({ logits, labels }: { logits: Tensor; labels: Tensor }, { labelSmoothing }: { labelSmoothing: number }) {
    const classes = logits.shape[1] as number
    const targets = labels.rank === 1 ? oneHot(labels as Tensor1D, classes) : labels
    const smoothed = add(mul(targets, 1 - labelSmoothing), labelSmoothing / classes) // [B, K]
    const logPartition = mul(logSumExp(logits, 1), sum(smoothed, 1)) // [B]
    return mean(sub(logPartition, sum(mul(smoothed, logits), 1)))
  },
})

/**
 * Mean cross-entropy of softmax(logits) against the labels, torch.nn.functional.cross_entropy.
 *
 * @param logits [B, K]
 * @param labels [B] int32, class indices; or [B, K] float32, probabilities
 * @returns scalar
 */
export function crossEntropy(
  logits: Tensor2D,
  labels: Tensor1D | Tensor2D,
  { labelSmoothing = 0 }: CrossEntropyOptions = {},
): Scalar {
  checkShape('crossEntropy', 'logits', logits, ['batch', 'classes'])
  checkProbability('crossEntropy', 'labelSmoothing', labelSmoothing)
  if (labels.rank === 2) checkShape('crossEntropy', 'labels', labels, logits.shape)
  else if (labels.dtype !== 'int32' || labels.rank !== 1 || labels.shape[0] !== logits.shape[0])
    throw new Error(
      `crossEntropy: labels are ${labels.dtype} of shape [${labels.shape}]; expected int32 [${logits.shape[0]}] or float32 [${logits.shape.join(', ')}].`,
    )
  return op({ logits, labels }, { labelSmoothing }) as Scalar
}
