/** The losses as a table: by the name a recipe gives. */
import type { Loss } from '@vitral/core'
import { binaryCrossEntropy, crossEntropy, focalLoss, meanSquaredError } from '@vitral/core/ops'
import { type Fields, listOf, notNegative, number, resolveFields } from '../recipe/kinds.ts'
import type { LossName, LossOptions } from '../recipe/types.ts'

const weights = listOf(
  expected => number(expected, { least: 0 }),
  'a list of numbers that are 0 or more, one for each class',
).optional()

/** Options of the losses; their defaults are those of the ops. */
export const lossFields: Fields<LossOptions> = {
  labelSmoothing: number('a number from 0 to below 1', { least: 0, below: 1 })
    .optional()
    .meta({ description: "ε, of 'cross-entropy' and 'binary-cross-entropy'.", defaultNote: '0' }),
  classWeights: weights.meta({
    description: "A weight for each class, of 'cross-entropy' and 'focal'.",
    defaultNote: 'all 1',
  }),
  positiveWeights: weights.meta({
    description: "A weight for each class, of 'binary-cross-entropy'.",
    defaultNote: 'all 1',
  }),
  gamma: notNegative.optional().meta({
    description: "How strongly 'focal' discounts images that are recognised already.",
    defaultNote: '2',
  }),
}

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

export const lossNames: readonly LossName[] = Object.keys(losses) as LossName[]

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
  resolveFields("The loss's ", lossFields, options)
  return create(options)
}
