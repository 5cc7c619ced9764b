/** A loss for classes of very different sizes: images that are recognised already count little. */
import { exp, mean, mul, neg, pow, type Scalar, sub, sum, type Tensor2D, tensor1d, tidy } from '@tensorflow/tfjs-core'
import { checkLabels, checkWeights, type LabelTensor, logProbabilities, targetsOf } from './targets.ts'

/** Options of focalLoss. */
export interface FocalLossOptions {
  /** How little: 0 is cross-entropy. @default 2 */
  gamma?: number
  /** One for each class, the paper's α. @default all 1 */
  classWeights?: readonly number[]
}

/**
 * The mean of −α·(1 − p)^γ·log p, with p the softmax's probability of the label. Source: Lin et al. 2017, Focal Loss for
 * Dense Object Detection; theirs, and torchvision's sigmoid_focal_loss, have a sigmoid for each class. Computed by stock ops:
 * the logits are few.
 *
 * @param logits [B, K]
 * @param labels [B] int32, class indices; or [B, K] float32, probabilities
 * @returns scalar
 */
export function focalLoss(
  logits: Tensor2D,
  labels: LabelTensor,
  { gamma = 2, classWeights }: FocalLossOptions = {},
): Scalar {
  checkLabels('focalLoss', labels, logits)
  if (!(gamma >= 0 && gamma < Infinity))
    throw new Error(`focalLoss: gamma is ${gamma}; expected a number of 0 or more.`)
  const classes = logits.shape[1]
  if (classWeights) checkWeights('focalLoss', 'classWeights', classWeights, classes)
  return tidy(() => {
    const targets = targetsOf(labels, classes, 0)
    const logP = logProbabilities(logits) // [B, K]
    const hardness = gamma === 0 ? 1 : pow(sub(1, exp(logP)), gamma)
    const costs = mul(mul(targets, hardness), neg(logP)) // [B, K]
    if (!classWeights) return mean(sum(costs, 1))
    return mean(sum(mul(costs, tensor1d([...classWeights], 'float32')), 1))
  })
}
