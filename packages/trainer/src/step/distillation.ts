/** Learning from another model: what a teacher says of each image is a part of the loss. */
import { add, argMax, cast, mul, type Scalar, type Tensor1D } from '@tensorflow/tfjs-core'
import { type HubOptions, type Loss, noGrad, ViTForImageClassification, ViTImageProcessor } from '@vitral/core'
import { fittedSize, geometryOf } from '@vitral/core/image'
import { crossEntropy, distillationLoss } from '@vitral/core/ops'
import { listNames } from '@vitral/core/text'
import { aboveZero, type Fields, oneOf, resolveFields, share } from '../recipe/kinds.ts'
import type { DistillationOptions } from '../recipe/types.ts'

/** The weight of each kind unless one is given: the paper's. */
const weightOf = { hard: 0.5, soft: 0.1 } as const

/** Options of distill. */
export const distillationFields: Fields<DistillationOptions> = {
  kind: oneOf(['hard', 'soft'])
    .default('hard')
    .describe("'hard': the teacher's first class is a label; 'soft': its probabilities are to be met."),
  weight: share.optional().meta({
    description: "Weight of the teacher's part of the loss, from 0 to 1.",
    defaultNote: `'hard' ${weightOf.hard}, 'soft' ${weightOf.soft}`,
  }),
  temperature: aboveZero.default(3).describe("Temperature τ of 'soft'."),
}

export interface TeacherOptions {
  /** Names of the classes, in the order of the logits. */
  labels: readonly string[]
  /** What prepares the images. */
  processor: ViTImageProcessor
  /** How the teacher is downloaded. */
  hub?: HubOptions
}

/**
 * A teacher's model, from a folder or hub id.
 *
 * @throws when it cannot be loaded, knows other classes, or was made for images prepared in another way
 */
export async function loadTeacher(
  folder: string,
  { labels, processor, hub = {} }: TeacherOptions,
): Promise<ViTForImageClassification> {
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
  return teacher
}

/**
 * A loss of which a part comes from a teacher: (1 − weight)·loss + weight·distance to the teacher. Source: Touvron et al.
 * 2021 (DeiT), equations 2 and 3, whose weights are the defaults; here both parts come from the one classifier, since a
 * ViT has no distillation token.
 *
 * @param teacher a classifier of the same classes, for images of the same size and normalisation
 * @throws when an option is out of range
 */
export function distill(loss: Loss, teacher: ViTForImageClassification, options: DistillationOptions = {}): Loss {
  const { kind, temperature } = resolveFields('distill: ', distillationFields, options)
  const { weight = weightOf[kind] } = options
  return (logits, labels, pixelValues) => {
    const taught = noGrad(() => teacher.forward(pixelValues).logits)
    const distance =
      kind === 'soft'
        ? distillationLoss(logits, taught, { temperature })
        : crossEntropy(logits, noGrad(() => cast(argMax(taught, 1), 'int32')) as Tensor1D)
    return add(mul(loss(logits, labels, pixelValues), 1 - weight), mul(distance, weight)) as Scalar
  }
}
