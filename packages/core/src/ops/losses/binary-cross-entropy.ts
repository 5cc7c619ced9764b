/** The loss of labels that do not exclude each other: each class is a yes or no of its own. */
import { add, mean, mul, neg, type Scalar, softplus, sub, type Tensor2D, tensor1d, tidy } from '@tensorflow/tfjs-core'
import { checkLabels, checkSmoothing, checkWeights, type LabelTensor, targetsOf } from './targets.ts'

/** Options of binaryCrossEntropy. */
export interface BinaryCrossEntropyOptions {
  /** ε: the target becomes (1 − ε)·target + ε/K, as timm's. @default 0 */
  labelSmoothing?: number
  /** One for each class, torch's `pos_weight`: the more, the more a missed yes costs. @default all 1 */
  positiveWeights?: readonly number[]
}

/**
 * Mean over images and classes of the cross-entropy of sigmoid(logits), torch's binary_cross_entropy_with_logits. Of
 * stock ops: the logits are few.
 *
 * @param logits [B, K]
 * @param labels [B, K] float32, 1 for each class that an image has; or [B] int32, its only class
 * @returns scalar
 */
export function binaryCrossEntropy(
  logits: Tensor2D,
  labels: LabelTensor,
  { labelSmoothing = 0, positiveWeights }: BinaryCrossEntropyOptions = {},
): Scalar {
  checkLabels('binaryCrossEntropy', labels, logits)
  checkSmoothing('binaryCrossEntropy', labelSmoothing)
  const classes = logits.shape[1]
  if (positiveWeights) checkWeights('binaryCrossEntropy', 'positiveWeights', positiveWeights, classes)
  return tidy(() => {
    const targets = targetsOf(labels, classes, labelSmoothing)
    // −log sigmoid(x) is softplus(−x), and −log(1 − sigmoid(x)) is x + softplus(−x), which no logit overflows.
    const missedYes = softplus(neg(logits))
    const falseYes = mul(sub(1, targets), logits)
    if (!positiveWeights) return mean(add(falseYes, missedYes))
    const extra = tensor1d(
      positiveWeights.map(weight => weight - 1),
      'float32',
    )
    return mean(add(falseYes, mul(add(1, mul(targets, extra)), missedYes)))
  })
}
