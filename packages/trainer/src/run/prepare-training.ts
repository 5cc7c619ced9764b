/** From a recipe and a data set's place to all that training computes with; nothing is written. */
import type { HubOptions, Loss, ViTForImageClassification, ViTImageProcessor } from '@vitral/core'
import { describePreparation, pretrainedProcessor } from '../data/pretrained-processor.ts'
import { processorOf } from '../data/processor.ts'
import type { OnSkipped } from '../data/skipped-images.ts'
import { openTrainingData, type TrainingData } from '../data/training-data.ts'
import type { DataSource } from '../data/validation-split.ts'
import type { Collectives } from '../ddp/collectives.ts'
import { type MadeTransforms, recipeTransforms } from '../recipe/transforms.ts'
import type { Recipe } from '../recipe/types.ts'
import { createModel } from './create-model.ts'
import { recipeLoss } from './recipe-loss.ts'

export interface PrepareOptions {
  recipe: Recipe
  /** Folder of the data set, or the file of a manifest; or data sets of one's own, which take the place of the recipe's. */
  data: DataSource
  /** Told of each image that is left out since it cannot be decoded; without it the first one ends the run. */
  onSkipped?: OnSkipped
  /** Larger images are refused. @default decodeImage's */
  maxPixels?: number
  /** Threads that load images. @default 0, or half the processors when the images must be resized */
  workers?: number
  /** The processes that train together; the caller's to close. @default one process */
  collectives?: Collectives
  /** How a pretrained model is downloaded, and who is told of its progress. */
  hub?: HubOptions
}

export interface PreparedTraining {
  data: TrainingData
  model: ViTForImageClassification
  loss: Loss
  /** What prepares an image as the evaluation does. */
  processor: ViTImageProcessor
}

/** @throws when data or recipe cannot be used */
export async function prepareTraining(options: PrepareOptions): Promise<PreparedTraining> {
  const { recipe, hub, ...loading } = options
  let its: ViTImageProcessor | undefined
  const transforms = async (): Promise<MadeTransforms> => {
    its = await pretrainedProcessor(recipe, hub)
    return recipeTransforms(recipe, its)
  }
  const data = await openTrainingData(recipe, options.data, { ...loading, transforms })
  checkLoss(recipe, data)
  const notes: string[] = []
  const model = await createModel(recipe, data, { hub, onNote: note => notes.push(note) })
  const { evaluation } = recipeTransforms(recipe, its)
  const processor = processorOf(evaluation, model.config.imageSize, model.config.numChannels)
  const loss = await recipeLoss(recipe, { labels: data.labels, processor, hub })
  const understood = [...(data.understood ?? []), ...notes, ...describePreparation(recipe, processor, its)]
  return { data: { ...data, understood }, model, loss, processor }
}

/** A loss that supposes one class would train a model of several on nonsense. */
function checkLoss({ loss, distillation }: Recipe, { multiLabel }: TrainingData): void {
  if (loss.name === 'mean-squared-error')
    throw new Error(
      "loss.name is 'mean-squared-error', which is of numbers, and the images of a data set have classes; expected another loss.",
    )
  if (!multiLabel) return
  if (loss.name !== 'binary-cross-entropy')
    throw new Error(
      `loss.name is '${loss.name}', which supposes that an image has one class; of images that may have several, expected 'binary-cross-entropy'.`,
    )
  if (distillation)
    throw new Error(
      'A teacher of one class an image cannot teach images that may have several; expected no distillation.',
    )
}
