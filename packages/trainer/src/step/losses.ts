/** The losses as a table: by the name a recipe gives. */
import type { Loss } from '@vitral/core'
import { binaryCrossEntropy, crossEntropy, focalLoss, meanSquaredError } from '@vitral/core/ops'

export interface LossOptions {
  /** ε, of 'cross-entropy' and 'binary-cross-entropy'. @default 0 */
  labelSmoothing?: number
  /** One for each class, of 'cross-entropy' and 'focal'. @default all 1 */
  classWeights?: readonly number[]
  /** One for each class, of 'binary-cross-entropy'. @default all 1 */
  positiveWeights?: readonly number[]
  /** How strongly 'focal' discounts images that are recognised already. @default 2 */
  gamma?: number
}

export type LossName = 'cross-entropy' | 'binary-cross-entropy' | 'focal' | 'mean-squared-error'

const losses: Record<LossName, { options: readonly (keyof LossOptions)[]; create: (options: LossOptions) => Loss }> = {
  'cross-entropy': {
    options: ['labelSmoothing', 'classWeights'],
    create: options => (logits, labels) => crossEntropy(logits, labels, options),
  },
  'binary-cross-entropy': {
    options: ['labelSmoothing', 'positiveWeights'],
    create: options => (logits, labels) => binaryCrossEntropy(logits, labels, options),
  },
  focal: {
    options: ['gamma', 'classWeights'],
    create: options => (logits, labels) => focalLoss(logits, labels, options),
  },
  'mean-squared-error': { options: [], create: () => (logits, labels) => meanSquaredError(logits, labels) },
}

export const lossNames: readonly string[] = Object.keys(losses)

/**
 * A loss for `trainStep` and `model.valueAndGrads`.
 *
 * @throws when there is none of that name, or it does not have one of the options
 * @example
 * model.valueAndGrads(pixelValues, labels, { loss: createLoss('cross-entropy', { labelSmoothing: 0.1 }) })
 */
export function createLoss(name: LossName, options: LossOptions = {}): Loss {
  if (!Object.hasOwn(losses, name))
    throw new Error(`There is no loss '${name}'; expected one of ${lossNames.join(', ')}.`)
  const { options: known, create } = losses[name]
  for (const [option, value] of Object.entries(options))
    if (value !== undefined && !known.includes(option as keyof LossOptions))
      throw new Error(`The loss '${name}' has no option '${option}'; it has ${known.join(', ') || 'none'}.`)
  return create(options)
}
