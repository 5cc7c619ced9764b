/** A recipe's fields: everything that decides what a training run computes, apart from where its files are. */
import type { TrainingDtype, ViTConfigOptions } from '@vitral/core'
import type { TransformSpec } from '@vitral/datasets'
import type { EarlyStopping } from '../evaluation/choose-best.ts'
import type { OptimizerName, OptimizerOptions } from '../optimizers/algorithms.ts'
import type { GroupOptions } from '../optimizers/parameter-groups.ts'
import type { ScheduleName, ShapeOptions } from '../schedules/index.ts'
import type { DistillationOptions } from '../step/distillation.ts'
import type { GradScalerOptions } from '../step/grad-scaler.ts'
import type { LossName, LossOptions } from '../step/losses.ts'
import type { ModelEmaOptions } from '../step/model-ema.ts'
import type { FineTune } from './fine-tune.ts'
import type { RecipeSampler } from './sampler.ts'

/** Transforms of images, by name and arguments: those of training, with augmentation, and those of evaluation. */
export interface RecipeTransforms {
  train: readonly TransformSpec[]
  evaluation: readonly TransformSpec[]
}

export interface RecipeModel {
  /** A folder or hub id to start from; its classifier is newly initialized unless the classes have the same names in the same order. */
  pretrained?: string
  /** A named configuration to start from, such as 'vit-base-patch16-224', with fresh parameters. */
  name?: string
  /** Fields over those of the above, or over the defaults of ViT-B/16. The classes come from the data set. */
  config?: Omit<ViTConfigOptions, 'numLabels' | 'id2label' | 'extra' | 'poolerAct' | 'poolerOutputSize'>
  /**
   * Initialisation of fresh parameters. 'normal': Hugging Face's. 'mimetic': attention and positions begin with what trained models have
   * in common, which a small model on few images learns far faster from. @default 'normal'
   */
  init?: 'normal' | 'mimetic'
}

export interface RecipeSchedule extends Omit<ShapeOptions, 'cycleSteps' | 'stepSize' | 'milestones'> {
  name: ScheduleName
  /** Epochs of the first cycle of 'cosine-restarts'. */
  cycleEpochs?: number
  /** 'step' multiplies the rate by gamma after each so many epochs. */
  stepEpochs?: number
  /** 'step' multiplies the rate by gamma at these epochs. */
  milestoneEpochs?: readonly number[]
  /** When the rate changes. @default 'step' */
  per?: 'step' | 'epoch'
  /** Epochs of linear warm-up of the learning rate; may be a part of one. @default 0 */
  warmupEpochs?: number
  /** @default 0 */
  minLr?: number
}

export interface RecipeDistillation extends DistillationOptions {
  /** A model folder or hub id, with the classes and the image preparation of the recipe. */
  teacher: string
}

export interface Recipe {
  model: RecipeModel
  /** The part of the model that trains; the rest stays as it is. */
  fineTune: FineTune
  /** Name of a data set; the command line says where it lies. */
  dataset: string
  /** The classes to use of it, in the order of the labels; null for all. */
  classes: readonly string[] | null
  /**
   * The images that choose the best model: a share of each class, held out of training, unless the data set has
   * validation images of its own; the best model is then tested once, on the test images. Or 'test': training has all its
   * images, and the test images choose, which flatters the result a little. @default 0.1
   */
  validation: number | 'test'
  sampler: RecipeSampler
  /**
   * Transforms of images: the name of a pair of chains, or those of training and of evaluation one by one. A chain that has a
   * name takes size, interpolation, mean and deviation from the model's processor where the model is pretrained, and the
   * size from `model.config.imageSize` where that is given; transforms one by one stay as they are.
   */
  transforms: string | RecipeTransforms
  /** Transforms of whole batches in training, such as mixUp(); then labels are shares of classes. */
  batchTransforms: readonly TransformSpec[]
  /** Images of one step. */
  batchSize: number
  /** Images that pass through the model at a time, their gradients added up; null for the whole batch. */
  microBatchSize: number | null
  evalBatchSize: number
  /** Steps between evaluations within an epoch, beside that at its end; null for none. */
  evalSteps: number | null
  /** At most. A run that is resumed may be given more. */
  epochs: number
  /** Ends the run when evaluations do not get better any more: { patience, minDelta }; null trains all epochs. */
  earlyStopping: EarlyStopping | null
  optimizer: { name: OptimizerName } & OptimizerOptions & GroupOptions
  schedule: RecipeSchedule
  loss: { name: LossName } & LossOptions
  /** Another model that says what it sees in each image. */
  distillation: RecipeDistillation | null
  /** Precision of the matrix products, in training and evaluation; parameters are float32 always. PyTorch's autocast. */
  precision: TrainingDtype
  /** Whether layers are computed again in the backward pass: less memory for a third more time. */
  gradientCheckpointing: boolean
  /** Largest norm of all gradients together; null does not clip. */
  clipGradNorm: number | null
  /** Largest size of a gradient's element, after the norm; null does not clip. */
  clipGradValue: number | null
  /** PyTorch's loss scaling; bfloat16 needs none. {} has its defaults, null does not scale. */
  gradScaler: GradScalerOptions | null
  /** Averages of the parameters, which are then what is evaluated and kept as the best model. */
  ema: ModelEmaOptions | null
  /** Seed for the initial parameters, the order of the images, their augmentation and dropout. */
  seed: number
}
