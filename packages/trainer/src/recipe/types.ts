/**
 * The types of a recipe and its parts. Written by `bun scripts/recipe-files.ts` from the schema in schema.ts and the tables of
 * options beside what takes them: change those.
 */
import type { LoraConfig, TrainingDtype, ViTConfigOptions } from '@vitral/core'
import type { TransformSpec } from '@vitral/datasets'

/** A recipe: everything that decides what a training run computes, apart from where its files are. */
export interface Recipe {
  /** The model to start from. */
  model: RecipeModel
  /** The part of the model that trains; the rest stays as it is. @default 'all' */
  fineTune: FineTune
  /** Name of a data set; the command line says where it lies. */
  dataset: string
  /** The classes to use of the data set, in the order of the labels; null for all. @default null */
  classes: readonly string[] | null
  /**
   * The images that choose the best model: a share of each class, kept out of training, unless the data set has
   * validation images of its own; the best model is then tested once, on the test images. Or 'test': training has all
   * its images, and the test images choose, which flatters the result a little.
   * @default 0.1
   */
  validation: number | 'test'
  /** Which images an epoch has, and in which order. @default { name: 'shuffled' } */
  sampler: RecipeSampler
  /**
   * Transforms of images: the name of a pair of chains, or those of training and of evaluation one by one. A chain that
   * has a name takes size, interpolation, mean and deviation from the model's processor where the model is pretrained,
   * and the size from model.config.imageSize where that is given; transforms one by one stay as they are.
   */
  transforms: string | RecipeTransforms
  /** Transforms of whole batches in training, such as mixUp(); then labels are shares of classes. @default [] */
  batchTransforms: readonly TransformSpec[]
  /** Images of one step. */
  batchSize: number
  /** Images that pass through the model at a time, their gradients added up; null for the whole batch. @default null */
  microBatchSize: number | null
  /** Images that are evaluated at a time. @default 100 */
  evalBatchSize: number
  /** Steps between evaluations within an epoch, beside that at its end; null for none. @default null */
  evalSteps: number | null
  /** Passes over the training images, at most; a run that is resumed may be given more. */
  epochs: number
  /** Ends the run when evaluations do not get better any more; null trains all epochs. @default null */
  earlyStopping: EarlyStopping | null
  /** The optimizer. */
  optimizer: RecipeOptimizer
  /** The learning rate over the run. @default { name: 'constant' } */
  schedule: RecipeSchedule
  /** The loss. @default { name: 'cross-entropy' } */
  loss: RecipeLoss
  /** Another model that says what it sees in each image; null for none. @default null */
  distillation: RecipeDistillation | null
  /**
   * Precision of the matrix products, in training and evaluation; parameters are float32 always. PyTorch's autocast.
   * @default 'float32'
   */
  precision: TrainingDtype
  /** Whether layers are computed again in the backward pass: less memory for a third more time. @default false */
  gradientCheckpointing: boolean
  /** Largest norm of all gradients together; null does not clip. @default null */
  clipGradNorm: number | null
  /** Largest size of a gradient's element, after the norm; null does not clip. @default null */
  clipGradValue: number | null
  /**
   * PyTorch's loss scaling, for float16; bfloat16 needs none. {} has its defaults, null does not scale.
   * @default null
   */
  gradScaler: GradScalerOptions | null
  /**
   * Averages of the parameters, which are then what is evaluated and kept as the best model; null for none.
   * @default null
   */
  ema: ModelEmaOptions | null
  /** Seed for the initial parameters, the order of the images, their augmentation and dropout. @default 42 */
  seed: number
}

/** The model that a recipe starts from. */
export interface RecipeModel {
  /**
   * A folder or hub id to start from; its classifier is newly initialized unless the classes have the same names in the
   * same order.
   */
  pretrained?: string
  /** A named configuration to start from, such as 'vit-base-patch16-224', newly initialized. */
  name?: string
  /** Fields over those of the above, or over the defaults of ViT-B/16. The classes come from the data set. */
  config?: Omit<
    ViTConfigOptions,
    'numLabels' | 'id2label' | 'extra' | 'poolerAct' | 'poolerOutputSize' | 'projectionDim'
  >
  /**
   * Initialisation of new parameters. 'normal': Hugging Face's. 'mimetic': attention and positions begin with what
   * trained models have in common, from which a small model on few images learns far faster.
   * @default 'normal'
   */
  init?: 'normal' | 'mimetic'
}

/** Which images an epoch has. */
export interface RecipeSampler {
  /**
   * 'shuffled': every image once. 'class-balanced': as many images, drawn from all classes alike.
   * 'repeated-augmentation': as many images, but each several times, augmented apart (DeiT's).
   */
  name: SamplerName
  /** How often 'repeated-augmentation' repeats an image. @default 3 */
  numRepeats?: number
}

/** Transforms of images, by name and arguments. */
export interface RecipeTransforms {
  /** Transforms of training, with augmentation. */
  train: readonly TransformSpec[]
  /** Transforms of evaluation. */
  evaluation: readonly TransformSpec[]
}

/** Options of createOptimizer. */
export interface OptimizerOptions {
  /** Highest learning rate. @default 0.001, 'lion' 0.0001 */
  lr?: number
  /**
   * Weight decay: an L2 term in the gradient for 'adam' and 'sgd', apart from it for 'adamw' and 'lion'.
   * @default 0, 'adamw' 0.01
   */
  weightDecay?: number
  /**
   * Decay of the moving averages of the gradient and its square. 'adam', 'adamw', 'lion'.
   * @default [0.9,0.999], 'lion' [0.9,0.99]
   */
  betas?: readonly [number, number]
  /** Term that keeps the denominator from 0. 'adam', 'adamw'. @default 1e-8 */
  eps?: number
  /** Momentum. 'sgd'. @default 0 */
  momentum?: number
  /** Nesterov's momentum. 'sgd'; needs momentum. @default false */
  nesterov?: boolean
}

/** Options of parameterGroups. */
export interface GroupOptions {
  /** No weight decay on biases, norms, learned tokens and positions, as in timm and DeiT. @default false */
  noDecay?: boolean
  /**
   * Factor by which the learning rate shrinks from each layer to the one before: the classifier's is whole, the
   * embeddings' is layerDecay ** (layers + 1). BEiT's and MAE's, for fine-tuning; about 0.65 to 0.75.
   * @default 1
   */
  layerDecay?: number
}

/** A recipe's optimizer: its name and options. */
export interface RecipeOptimizer extends OptimizerOptions, GroupOptions {
  /** The algorithm, with PyTorch's semantics and defaults; those of Lion are its authors'. */
  name: OptimizerName
}

/** Options of the schedules, lengths in steps. */
export interface ShapeOptions {
  /** Steps of the first cycle of 'cosine-restarts'. */
  cycleSteps?: number
  /** 'step' multiplies the rate by gamma after each so many steps. */
  stepSize?: number
  /** 'step' multiplies the rate by gamma at each of these steps. */
  milestones?: readonly number[]
  /** How many times as long each cycle of 'cosine-restarts' is as the one before. @default 1 */
  cycleFactor?: number
  /** Factor of 'step' and 'exponential'. @default 0.1 */
  gamma?: number
  /** Share of the run in which the rate of 'one-cycle' grows. @default 0.3 */
  pctStart?: number
  /** 'one-cycle' begins at lr / divFactor. @default 25 */
  divFactor?: number
  /** 'one-cycle' ends at lr / divFactor / finalDivFactor. @default 10000 */
  finalDivFactor?: number
  /** Factor by which 'plateau' multiplies the rate. @default 0.1 */
  factor?: number
  /** Evaluations without a lower loss for which 'plateau' waits. @default 10 */
  patience?: number
  /** A loss is lower, to 'plateau', when it is below (1 − threshold) of the best. @default 0.0001 */
  threshold?: number
  /** Evaluations after a change that 'plateau' does not count. @default 0 */
  cooldown?: number
}

/** A recipe's schedule: its name and options, lengths in epochs. */
export interface RecipeSchedule extends Omit<ShapeOptions, 'cycleSteps' | 'stepSize' | 'milestones'> {
  /** Shape of the learning rate after the warm-up. */
  name: ScheduleName
  /** Epochs of linear warm-up of the learning rate; may be a part of one. @default 0 */
  warmupEpochs?: number
  /** Where 'linear' and the cosines end, and below which 'plateau' does not go. @default 0 */
  minLr?: number
  /** When the rate changes. @default 'step' */
  per?: 'step' | 'epoch'
  /** Epochs of the first cycle of 'cosine-restarts'. */
  cycleEpochs?: number
  /** 'step' multiplies the rate by gamma after each so many epochs. */
  stepEpochs?: number
  /** 'step' multiplies the rate by gamma at these epochs. */
  milestoneEpochs?: readonly number[]
}

/** Options of createLoss. */
export interface LossOptions {
  /** ε, of 'cross-entropy' and 'binary-cross-entropy'. @default 0 */
  labelSmoothing?: number
  /** A weight for each class, of 'cross-entropy' and 'focal'. @default all 1 */
  classWeights?: readonly number[]
  /** A weight for each class, of 'binary-cross-entropy'. @default all 1 */
  positiveWeights?: readonly number[]
  /** How strongly 'focal' discounts images that are recognised already. @default 2 */
  gamma?: number
}

/** A recipe's loss: its name and options. */
export interface RecipeLoss extends LossOptions {
  /** Which loss. */
  name: LossName
}

/** Options of distill. */
export interface DistillationOptions {
  /** 'hard': the teacher's first class is a label; 'soft': its probabilities are to be met. @default 'hard' */
  kind?: 'hard' | 'soft'
  /** Weight of the teacher's part of the loss, from 0 to 1. @default 'hard' 0.5, 'soft' 0.1 */
  weight?: number
  /** Temperature τ of 'soft'. @default 3 */
  temperature?: number
}

/** A recipe's teacher, and how the model learns from it. */
export interface RecipeDistillation extends DistillationOptions {
  /** A model folder or hub id, with the classes and the image preparation of the recipe. */
  teacher: string
}

/** Options of a GradScaler. */
export interface GradScalerOptions {
  /** Scale of the first step. @default 65536 */
  initScale?: number
  /** Factor of the scale after growthInterval good steps in a row. @default 2 */
  growthFactor?: number
  /** Factor of the scale after a step that overflowed. @default 0.5 */
  backoffFactor?: number
  /** Good steps in a row after which the scale grows. @default 2000 */
  growthInterval?: number
}

/** Options of createModelEma. */
export interface ModelEmaOptions {
  /** How much of the average stays at each step. @default 0.9999 */
  decay?: number
  /** Whether early steps decay faster, by (1 + step) / (10 + step): else the first values last. @default true */
  warmup?: boolean
}

/** What ends a run when evaluations do not get better any more. */
export interface EarlyStopping {
  /** Evaluations in a row without an improvement that end the run. */
  patience: number
  /** What the score must gain to count as an improvement. @default 0 */
  minDelta?: number
}

/** What trains. */
export type FineTune = 'all' | 'head' | { lastLayers: number } | { lora: Partial<LoraConfig> }

/** Name of an optimizer. */
export type OptimizerName = 'adam' | 'adamw' | 'sgd' | 'lion'

/** Name of a schedule. */
export type ScheduleName =
  | 'constant'
  | 'linear'
  | 'cosine'
  | 'cosine-restarts'
  | 'one-cycle'
  | 'step'
  | 'exponential'
  | 'plateau'

/** Name of a loss. */
export type LossName = 'cross-entropy' | 'binary-cross-entropy' | 'focal' | 'mean-squared-error'

/** Name of a sampler. */
export type SamplerName = 'shuffled' | 'class-balanced' | 'repeated-augmentation'

/** Fields of a recipe that may be left out. */
export type DefaultedField =
  | 'fineTune'
  | 'classes'
  | 'validation'
  | 'sampler'
  | 'batchTransforms'
  | 'microBatchSize'
  | 'evalBatchSize'
  | 'evalSteps'
  | 'earlyStopping'
  | 'schedule'
  | 'loss'
  | 'distillation'
  | 'precision'
  | 'gradientCheckpointing'
  | 'clipGradNorm'
  | 'clipGradValue'
  | 'gradScaler'
  | 'ema'
  | 'seed'
