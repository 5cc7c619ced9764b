/** What the labels of a classifier are, and the loss that its problem type asks for, by transformers' rules. */
import { type Scalar, type Tensor2D, type Tensor4D, tensor1d } from '@tensorflow/tfjs-core'
import { binaryCrossEntropy, crossEntropy, type LabelTensor, meanSquaredError } from '../ops/index.ts'
import { checkClasses } from '../ops/losses/targets.ts'
import type { ProblemType, ViTConfig } from './config.ts'

/**
 * One label for each image: class indices, or a number each for a regression of one output; or a tensor, [B] int32 or
 * [B, numLabels] float32, of probabilities, of a yes (1) or no (0) for each class, or of a regression's targets.
 */
export type Labels = readonly number[] | Int32Array | Float32Array | LabelTensor

/**
 * A scalar to be made small, of logits [B, numLabels], labels ([B] int32, or [B, numLabels] float32; of a regression of
 * one output also [B] float32) and the images [B, c, h, w].
 */
export type Loss = (logits: Tensor2D, labels: LabelTensor, pixelValues: Tensor4D) => Scalar

type Problem = Pick<ViTConfig, 'problemType' | 'numLabels'>

/**
 * The problem type that labels are of. A configuration that leaves it open (null) has regression with one label,
 * classification with class indices, and otherwise, with a number for each class, several classes an image.
 * Source: transformers' `ForSequenceClassificationLoss` and `ViTForImageClassification.forward`.
 */
export function problemTypeOf({ problemType, numLabels }: Problem, labels: Labels): ProblemType {
  if (problemType) return problemType
  if (numLabels === 1) return 'regression'
  return isTensor(labels) && labels.dtype !== 'int32' ? 'multi_label_classification' : 'single_label_classification'
}

/**
 * The loss of a configuration: cross-entropy of one class, binary cross-entropy of several, mean squared error of a
 * regression.
 *
 * @param loss another than the problem type's; whole numbers are class indices for it, unless the type is regression
 * @returns the mean over the batch
 * @throws when labels do not fit the logits, or there is no classifier that gives any
 */
export function lossOf(
  config: Problem,
  { logits, pixelValues }: { logits: Tensor2D; pixelValues: Tensor4D },
  labels: Labels,
  loss?: Loss,
): Scalar {
  const { problemType, numLabels } = config
  if (loss)
    return loss(logits, labelTensor(labels, problemType ?? 'single_label_classification', numLabels), pixelValues)
  if (numLabels === 0)
    throw new Error(
      'A model without a classifier (numLabels is 0) has no loss of its own; pass one, or leave out labels.',
    )
  const problem = problemTypeOf(config, labels)
  return losses[problem](logits, labelTensor(labels, problem, numLabels), pixelValues)
}

const losses: Record<ProblemType, Loss> = {
  single_label_classification: (logits, labels) => crossEntropy(logits, labels),
  multi_label_classification: (logits, labels) => binaryCrossEntropy(logits, labels),
  regression: (logits, labels) => meanSquaredError(logits, labels),
}

function labelTensor(labels: Labels, problem: ProblemType, numLabels: number): LabelTensor {
  if (isTensor(labels)) return labels
  if (problem !== 'regression' && !(labels instanceof Float32Array)) {
    checkClasses('forward', labels, numLabels)
    return tensor1d([...labels], 'int32')
  }
  const wrong = labels.findIndex(label => !Number.isFinite(label))
  if (wrong >= 0) throw new Error(`forward: labels[${wrong}] is ${labels[wrong]}; expected a finite number.`)
  return tensor1d([...labels], 'float32')
}

const isTensor = (labels: Labels): labels is LabelTensor => !Array.isArray(labels) && !ArrayBuffer.isView(labels)
