/** Targets of a loss: the labels as probabilities. */
import {
  add,
  cast,
  div,
  engine,
  logSumExp,
  mul,
  oneHot,
  sub,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
} from '@tensorflow/tfjs-core'
import { isInteger } from '../../check.ts'
import { checkProbability, checkShape } from '../arguments.ts'

/** Class indices [B] int32, or probabilities [B, K] float32. */
export type LabelTensor = Tensor1D | Tensor2D

/** @throws naming the loss and what fits its logits: a shape, or the class indices there are */
export function checkLabels(loss: string, labels: LabelTensor, logits: Tensor2D): void {
  checkShape(loss, 'logits', logits, ['batch', 'classes'])
  if (labels.rank === 2) checkShape(loss, 'labels', labels, logits.shape)
  else if (labels.dtype !== 'int32' || labels.rank !== 1 || labels.shape[0] !== logits.shape[0])
    throw new Error(
      `${loss}: labels are ${labels.dtype} of shape [${labels.shape}]; expected int32 [${logits.shape[0]}] or float32 [${logits.shape.join(', ')}].`,
    )
  else checkClasses(loss, valuesAtHand(labels), logits.shape[1])
}

/** @throws naming the loss, and the first label that is no class index from 0 to `classes` − 1 */
export function checkClasses(loss: string, labels: ArrayLike<number>, classes: number): void {
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i] as number
    if (!isInteger(label, 0, classes - 1))
      throw new Error(`${loss}: labels[${i}] is ${label}; expected a class index from 0 to ${classes - 1}.`)
  }
}

/**
 * The labels' values, if they can be read without waiting: on every backend but webgpu, which has only those that none of
 * its kernels has read yet. `targetsOf` makes the loss NaN where other labels are wrong.
 */
function valuesAtHand(labels: Tensor): ArrayLike<number> {
  const { backend } = engine() as {
    backend: { tensorMap?: { get(id: object): { values?: ArrayLike<number> | null } } }
  }
  return backend.tensorMap ? (backend.tensorMap.get(labels.dataId).values ?? []) : labels.dataSync()
}

/** The labels [B, K], smoothed: (1 − ε)·label + ε/K. A label that is no class has NaN. */
export function targetsOf(labels: Tensor, classes: number, labelSmoothing: number): Tensor2D {
  const targets = labels.rank === 1 ? oneHotTargets(labels as Tensor1D, classes) : labels
  if (labelSmoothing === 0) return targets as Tensor2D
  return add(mul(targets, 1 - labelSmoothing), labelSmoothing / classes)
}

function oneHotTargets(labels: Tensor1D, classes: number): Tensor {
  // A cast, not oneHot's own dtype: tfjs's wasm kernel writes integers whatever dtype is asked for.
  const targets = cast(oneHot(labels, classes), 'float32')
  return div(targets, sum(targets, 1, true)) // 0/0 where no class is the label's, instead of a loss without it
}

/** log softmax(logits) along the last axis; tfjs's own logSoftmax has no wasm kernel. */
export const logProbabilities = (logits: Tensor2D): Tensor2D => sub(logits, logSumExp(logits, 1, true))

/** @throws naming the loss, when labelSmoothing is not from 0 up to, but not including, 1 */
export const checkSmoothing = (loss: string, labelSmoothing: number): void =>
  checkProbability(loss, 'labelSmoothing', labelSmoothing)

/** @throws naming the loss, when there is not one weight, 0 or more, for each class */
export function checkWeights(loss: string, name: string, weights: readonly number[], classes: number): void {
  if (weights.length !== classes)
    throw new Error(`${loss}: ${name} has ${weights.length} numbers; expected one for each of the ${classes} classes.`)
  const wrong = weights.find(weight => !(weight >= 0 && weight < Infinity))
  if (wrong !== undefined) throw new Error(`${loss}: ${name} has ${wrong}; expected numbers that are 0 or more.`)
}
