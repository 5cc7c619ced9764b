/** What a loss compares with: the labels as probabilities. */
import {
  add,
  cast,
  logSumExp,
  mul,
  oneHot,
  sub,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
} from '@tensorflow/tfjs-core'
import { checkProbability, checkShape } from './check.ts'

/** Class indices [B] int32, or probabilities [B, K] float32. */
export type LabelTensor = Tensor1D | Tensor2D

/** @throws naming the loss, and what fits its logits */
export function checkLabels(loss: string, labels: LabelTensor, logits: Tensor2D): void {
  checkShape(loss, 'logits', logits, ['batch', 'classes'])
  if (labels.rank === 2) checkShape(loss, 'labels', labels, logits.shape)
  else if (labels.dtype !== 'int32' || labels.rank !== 1 || labels.shape[0] !== logits.shape[0])
    throw new Error(
      `${loss}: labels are ${labels.dtype} of shape [${labels.shape}]; expected int32 [${logits.shape[0]}] or float32 [${logits.shape.join(', ')}].`,
    )
}

/** The labels [B, K], smoothed: (1 − ε)·label + ε/K. */
export function targetsOf(labels: Tensor, classes: number, labelSmoothing: number): Tensor2D {
  // Not with oneHot's own dtype: tfjs's wasm kernel writes integers whatever it is told.
  const targets = labels.rank === 1 ? cast(oneHot(labels as Tensor1D, classes), 'float32') : labels
  if (labelSmoothing === 0) return targets as Tensor2D
  return add(mul(targets, 1 - labelSmoothing), labelSmoothing / classes)
}

/** log softmax(logits) along the last axis; tfjs's own logSoftmax has no wasm kernel. */
export const logProbabilities = (logits: Tensor2D): Tensor2D => sub(logits, logSumExp(logits, 1, true))

/** @throws naming the loss, when smoothing would leave nothing of a label */
export const checkSmoothing = (loss: string, labelSmoothing: number): void =>
  checkProbability(loss, 'labelSmoothing', labelSmoothing)

/** @throws naming the loss, when there is not one weight, 0 or more, for each class */
export function checkWeights(loss: string, name: string, weights: readonly number[], classes: number): void {
  if (weights.length !== classes)
    throw new Error(`${loss}: ${name} has ${weights.length} numbers; expected one for each of the ${classes} classes.`)
  const wrong = weights.find(weight => !(weight >= 0 && weight < Infinity))
  if (wrong !== undefined) throw new Error(`${loss}: ${name} has ${wrong}; expected numbers that are 0 or more.`)
}
