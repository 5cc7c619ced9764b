/** The classification loss. */
import {
  div,
  logSumExp,
  mean,
  mul,
  neg,
  type Scalar,
  sub,
  sum,
  type Tensor,
  type Tensor2D,
  tensor1d,
  tidy,
} from '@tensorflow/tfjs-core'
import { defineOp } from '../../tape/op.ts'
import { checkLabels, checkSmoothing, checkWeights, type LabelTensor, logProbabilities, targetsOf } from './targets.ts'

/** Options of crossEntropy. */
export interface CrossEntropyOptions {
  /** ε: the target becomes (1 − ε)·target + ε/K. @default 0 */
  labelSmoothing?: number
  /** One for each class, torch's `weight`: the more, the more a mistake costs. @default all 1 */
  classWeights?: readonly number[]
}

const op = defineOp({
  kernel: 'VitralCrossEntropy',
  save: ['logits', 'labels'],
  gradients: ['logits'],
  reference({ logits, labels }: { logits: Tensor; labels: Tensor }, { labelSmoothing }: { labelSmoothing: number }) {
    const targets = targetsOf(labels, logits.shape[1] as number, labelSmoothing) // [B, K]
    const logPartition = mul(logSumExp(logits, 1), sum(targets, 1)) // [B]
    return mean(sub(logPartition, sum(mul(targets, logits), 1)))
  },
})

/**
 * Mean cross-entropy of softmax(logits) against the labels, torch.nn.functional.cross_entropy. With class weights the
 * mean of class indices is a weighted one, as there.
 *
 * @param logits [B, K]
 * @param labels [B] int32, class indices; or [B, K] float32, probabilities
 * @returns scalar
 */
export function crossEntropy(
  logits: Tensor2D,
  labels: LabelTensor,
  { labelSmoothing = 0, classWeights }: CrossEntropyOptions = {},
): Scalar {
  checkLabels('crossEntropy', labels, logits)
  checkSmoothing('crossEntropy', labelSmoothing)
  if (classWeights) return tidy(() => weighted(logits, labels, labelSmoothing, classWeights))
  return op({ logits, labels }, { labelSmoothing })
}

/** The op in stock ops: the logits are few. */
function weighted(
  logits: Tensor2D,
  labels: LabelTensor,
  labelSmoothing: number,
  classWeights: readonly number[],
): Scalar {
  const classes = logits.shape[1]
  checkWeights('crossEntropy', 'classWeights', classWeights, classes)
  const weights = tensor1d([...classWeights], 'float32')
  const costs = mul(mul(targetsOf(labels, classes, labelSmoothing), weights), neg(logProbabilities(logits)))
  if (labels.rank === 2) return div(sum(costs), logits.shape[0])
  return div(sum(costs), sum(mul(targetsOf(labels, classes, 0), weights)))
}
