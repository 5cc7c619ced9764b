/** A recipe becomes a run: data, model, loss, optimizer, schedule and what else trains; nothing is written. */
import type { HubOptions, ViTForImageClassification, ViTImageProcessor } from '@vitral/core'
import { describePreparation, pretrainedProcessor } from '../data/pretrained-processor.ts'
import { processorOf } from '../data/processor.ts'
import type { OnSkipped } from '../data/skipped-images.ts'
import { openTrainingData, type TrainingData } from '../data/training-data.ts'
import type { DataSource } from '../data/validation-split.ts'
import { alone, type Collectives } from '../ddp/collectives.ts'
import { DataParallel } from '../ddp/data-parallel.ts'
import { createOptimizer, type Optimizer } from '../optimizers/index.ts'
import { parameterGroups } from '../optimizers/parameter-groups.ts'
import { recipeScheduler } from '../recipe/schedule.ts'
import { type MadeTransforms, recipeTransforms } from '../recipe/transforms.ts'
import type { Recipe } from '../recipe/types.ts'
import type { Scheduler } from '../schedules/index.ts'
import { distill, loadTeacher } from '../step/distillation.ts'
import { GradScaler } from '../step/grad-scaler.ts'
import { createLoss } from '../step/losses.ts'
import { createModelEma, type ModelEma } from '../step/model-ema.ts'
import type { TrainStepOptions } from '../step/train-step.ts'
import { createModel } from './create-model.ts'

/** Options of assemble. */
export interface AssembleOptions {
  /** What is trained, and how. */
  recipe: Recipe
  /** Folder of the data set, or the file of a manifest; or data sets of one's own, which take the place of the recipe's. */
  data: DataSource
  /** Called for each image that is skipped since it cannot be decoded; without it the first one ends the run. */
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

/** A model, the data it trains on, and the recipe by which it does. */
export interface TrainingParts {
  /** What is trained, and how. */
  recipe: Recipe
  /** The caller's to dispose. */
  model: ViTForImageClassification
  /** In each of several processes, that process's share. */
  data: TrainingData
  /** Prepares an image as the evaluation does; saved with the best model. */
  processor: { savePretrained(folder: string): Promise<void> }
  /** The processes that train together, each with a run of its own; the caller's to close. @default one process */
  collectives?: Collectives
  /** Loss in place of the recipe's. @default the recipe's, without a teacher */
  loss?: TrainStepOptions['loss']
}

/** Everything that a run computes with. `dispose` frees optimizer and averages, and ends the threads that load. */
export interface Training<P extends TrainingParts['processor'] = TrainingParts['processor']>
  extends Required<Omit<TrainingParts, 'loss' | 'processor'>> {
  /** Prepares the images. */
  processor: P
  /** Updates the parameters. */
  optimizer: Optimizer
  /** Learning rate of each step. */
  scheduler: Scheduler
  /** Scales the loss, if the recipe asks for it. */
  scaler?: GradScaler
  /** Averages of the parameters, if the recipe asks for them. */
  ema?: ModelEma
  /** Options of every step; its seed is the step's own. */
  step: Omit<TrainStepOptions, 'seed'>
  /** Frees all of it. */
  dispose(): Promise<void>
}

/**
 * Opens a recipe's data, makes its model, and all that trains it. Choose the backend before.
 *
 * @throws when data or recipe cannot be used
 * @example
 * const training = await assemble({ recipe: recipes['cifar10-micro'], data: 'data' })
 * for await (const batch of training.data.train({ epoch: 0, firstBatch: 0 }))
 *   await trainStep(training.model, training.optimizer, batch, { ...training.step, seed: 1 })
 */
export async function assemble(options: AssembleOptions): Promise<Training<ViTImageProcessor>> {
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
  const { collectives } = options
  return { ...assembleParts({ recipe, model, data: { ...data, understood }, processor, collectives, loss }), processor }
}

/**
 * The same for a model and data of one's own.
 *
 * @throws when the recipe cannot be used
 */
export function assembleParts({ loss, collectives = alone, ...parts }: TrainingParts): Training {
  const { recipe, model, data } = parts
  const optimizer = recipeOptimizer(recipe, model)
  const trained = model.trainableParameters()
  const scaler = recipe.gradScaler ? new GradScaler(recipe.gradScaler) : undefined
  const ema = recipe.ema ? createModelEma(trained, recipe.ema) : undefined
  const { name: lossName, ...lossOptions } = recipe.loss
  return {
    ...parts,
    collectives,
    optimizer,
    scheduler: recipeScheduler(recipe, optimizer.lr, data.stepsPerEpoch),
    scaler,
    ema,
    step: {
      loss: loss ?? createLoss(lossName, lossOptions),
      scaler,
      parallel: collectives.worldSize > 1 ? new DataParallel(collectives, trained) : undefined,
      microBatchSize: recipe.microBatchSize ?? undefined,
      precision: recipe.precision,
      gradientCheckpointing: recipe.gradientCheckpointing,
      clipGradNorm: recipe.clipGradNorm ?? undefined,
      clipGradValue: recipe.clipGradValue ?? undefined,
    },
    async dispose() {
      optimizer.dispose()
      ema?.dispose()
      await data.close()
    },
  }
}

/** The recipe's optimizer, for the parameters that train and their groups. */
function recipeOptimizer({ optimizer }: Recipe, model: ViTForImageClassification): Optimizer {
  const { name, noDecay, layerDecay, ...options } = optimizer
  const groups = parameterGroups(model.config.numHiddenLayers, { noDecay, layerDecay })
  return createOptimizer(name, model.trainableParameters(), { ...options, groups })
}

/**
 * The recipe's loss, with the teacher it may name.
 *
 * @param seen names of the classes in the order of the logits, and what prepares the images
 * @throws when the teacher cannot be loaded, knows other classes, or was made for images prepared in another way
 */
export async function recipeLoss(
  { loss: { name, ...options }, distillation }: Pick<Recipe, 'loss' | 'distillation'>,
  seen: { labels: readonly string[]; processor: ViTImageProcessor; hub?: HubOptions },
): Promise<NonNullable<TrainStepOptions['loss']>> {
  const loss = createLoss(name, options)
  if (!distillation) return loss
  const { teacher, ...how } = distillation
  return distill(loss, await loadTeacher(teacher, seen), how)
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
