/** The loss that a recipe describes, with the teacher it may name. */
import {
  fittedSize,
  geometryOf,
  type HubOptions,
  type Loss,
  listNames,
  ViTForImageClassification,
  ViTImageProcessor,
} from '@vitral/core'
import type { Recipe } from '../recipe/types.ts'
import { distill } from '../step/distillation.ts'
import { createLoss } from '../step/losses.ts'

export interface RecipeLossOptions {
  /** Names of the classes, in the order of the logits. */
  labels: readonly string[]
  /** What prepares the images. */
  processor: ViTImageProcessor
  hub?: HubOptions
}

/** @throws when the teacher cannot be loaded, knows other classes, or was made for images prepared in another way */
export async function recipeLoss(
  { loss: { name, ...options }, distillation }: Pick<Recipe, 'loss' | 'distillation'>,
  { labels, processor, hub = {} }: RecipeLossOptions,
): Promise<Loss> {
  const loss = createLoss(name, options)
  if (!distillation) return loss
  const { teacher: folder, ...how } = distillation
  const teacher = await ViTForImageClassification.fromPretrained(folder, hub)
  const known = Array.from({ length: teacher.config.numLabels }, (_, i) => teacher.config.id2label[i] ?? '')
  if (known.length !== labels.length || known.some((label, i) => label !== labels[i]))
    throw new Error(
      `The teacher ${folder} knows ${known.length} classes, ${listNames(known)}; expected those of the data set, in their order: ${listNames(labels)}.`,
    )
  const prepares = await ViTImageProcessor.fromPretrained(folder, hub)
  const [itsSize, ourSize] = [prepares, processor].map(
    ({ config }) => fittedSize(geometryOf(config))?.join('×') ?? 'any',
  )
  if (itsSize !== ourSize)
    throw new Error(
      `The teacher ${folder} was made for images of ${itsSize} pixels, but the recipe's transforms give ${ourSize}; it would not see what it knows. Choose transforms that fit it.`,
    )
  for (const field of ['doRescale', 'rescaleFactor', 'doNormalize', 'imageMean', 'imageStd'] as const) {
    const [its, ours] = [prepares, processor].map(({ config }) => JSON.stringify(config[field]))
    if (its !== ours)
      throw new Error(
        `The teacher ${folder} was made for images with ${field} ${its}, but the recipe's transforms give ${ours}; it would not see what it knows. Choose transforms that fit it.`,
      )
  }
  return distill(loss, teacher, how)
}
