/**
 * The schema of a recipe: every field with its check, default and description. From it come the types (types.ts), the JSON
 * schema for editors (recipe.schema.json) and the help of the command's options; `bun scripts/recipe-files.ts` writes the two
 * files.
 */
import type { TrainingDtype } from '@vitral/core'
import type { TransformSpec } from '@vitral/datasets'
import { z } from 'zod'
import { earlyStoppingFields } from '../evaluation/choose-best.ts'
import { algorithms, optimizerFields } from '../optimizers/algorithms.ts'
import { groupFields } from '../optimizers/parameter-groups.ts'
import { scheduleNames } from '../schedules/index.ts'
import { factorFields } from '../schedules/shapes.ts'
import { distillationFields } from '../step/distillation.ts'
import { gradScalerFields } from '../step/grad-scaler.ts'
import { lossFields, lossNames } from '../step/losses.ts'
import { modelEmaFields } from '../step/model-ema.ts'
import {
  aboveZero,
  type Fields,
  group,
  listOf,
  notNegative,
  number,
  oneOf,
  orNull,
  part,
  text,
  trueOrFalse,
  typeNames,
  wholeNumber,
} from './kinds.ts'
import { fineTune, modelFields } from './model-fields.ts'
import { samplerNames } from './sampler.ts'
import type {
  OptimizerName,
  Recipe,
  RecipeDistillation,
  RecipeLoss,
  RecipeOptimizer,
  RecipeSampler,
  RecipeSchedule,
  RecipeTransforms,
} from './types.ts'

const spec = (expected: string): z.ZodType<TransformSpec> =>
  z
    .looseObject({ name: z.string(expected), args: z.array(z.unknown(), expected).readonly() }, expected)
    .register(typeNames, { type: 'TransformSpec' })
const specs = listOf(
  spec,
  'a list of transforms, such as randomHorizontalFlip() or {"name": "randomHorizontalFlip", "args": []}',
)

export const transformsFields: Fields<RecipeTransforms> = {
  train: specs.describe('Transforms of training, with augmentation.'),
  evaluation: specs.describe('Transforms of evaluation.'),
}

export const samplerFields: Fields<RecipeSampler> = {
  name: oneOf(samplerNames, { type: 'SamplerName' }).describe(
    "'shuffled': every image once. 'class-balanced': as many images, drawn from all classes alike. 'repeated-augmentation': as many images, but each several times, augmented apart (DeiT's).",
  ),
  numRepeats: wholeNumber(1)
    .optional()
    .meta({ description: "How often 'repeated-augmentation' repeats an image.", defaultNote: '3' }),
}

export const recipeOptimizerFields: Fields<RecipeOptimizer> = {
  name: oneOf(Object.keys(algorithms) as OptimizerName[], { type: 'OptimizerName' }).describe(
    "The algorithm, with PyTorch's semantics and defaults; those of Lion are its authors'.",
  ),
  ...optimizerFields,
  ...groupFields,
}

export const recipeLossFields: Fields<RecipeLoss> = {
  name: oneOf(lossNames, { type: 'LossName' }).describe('Which loss.'),
  ...lossFields,
}

/** Precisions of training. */
const trainingDtypes: readonly TrainingDtype[] = ['float32', 'bfloat16', 'float16']

export const scheduleFields: Fields<RecipeSchedule> = {
  name: oneOf(scheduleNames, { type: 'ScheduleName' }).describe('Shape of the learning rate after the warm-up.'),
  warmupEpochs: notNegative.default(0).describe('Epochs of linear warm-up of the learning rate; may be a part of one.'),
  minLr: notNegative.default(0).describe("Where 'linear' and the cosines end, and below which 'plateau' does not go."),
  per: oneOf(['step', 'epoch']).default('step').describe('When the rate changes.'),
  cycleEpochs: aboveZero.optional().describe("Epochs of the first cycle of 'cosine-restarts'."),
  stepEpochs: aboveZero.optional().describe("'step' multiplies the rate by gamma after each so many epochs."),
  milestoneEpochs: listOf(expected => number(expected, { above: 0 }), 'a list of epochs')
    .optional()
    .describe("'step' multiplies the rate by gamma at these epochs."),
  ...factorFields,
}

export const teacherFields: Fields<RecipeDistillation> = {
  teacher: text('a folder or a hub id').describe(
    'A model folder or hub id, with the classes and the image preparation of the recipe.',
  ),
  ...distillationFields,
}

const classNames = 'a list of names of classes'
const validation = "a share between 0 and 1, or 'test'"

/** Fields of a recipe, in the order in which one is written. */
export const recipeFields: Fields<Recipe> = {
  model: part('RecipeModel', modelFields).describe('The model to start from.'),
  fineTune: fineTune.default('all').describe('The part of the model that trains; the rest stays as it is.'),
  dataset: text('a name').describe('Name of a data set; the command line says where it lies.'),
  classes: orNull(listOf(text, classNames, 1), `${classNames}, or null`)
    .default(null)
    .describe('The classes to use of the data set, in the order of the labels; null for all.'),
  validation: z
    .union([number(validation, { above: 0, below: 1 }), z.literal('test')], validation)
    .default(0.1)
    .describe(
      "The images that choose the best model: a share of each class, kept out of training, unless the data set has validation images of its own; the best model is then tested once, on the test images. Or 'test': training has all its images, and the test images choose, which flatters the result a little.",
    ),
  sampler: part('RecipeSampler', samplerFields)
    .default({ name: 'shuffled' })
    .describe('Which images an epoch has, and in which order.'),
  transforms: z
    .union(
      [text('a name'), part('RecipeTransforms', transformsFields)],
      'the name of a pair of chains, or { train: […], evaluation: […] }',
    )
    .describe(
      "Transforms of images: the name of a pair of chains, or those of training and of evaluation one by one. A chain that has a name takes size, interpolation, mean and deviation from the model's processor where the model is pretrained, and the size from model.config.imageSize where that is given; transforms one by one stay as they are.",
    ),
  batchTransforms: specs
    .default([])
    .describe('Transforms of whole batches in training, such as mixUp(); then labels are shares of classes.'),
  batchSize: wholeNumber(1).describe('Images of one step.'),
  microBatchSize: orNull(wholeNumber(1), 'a whole number of at least 1, or null')
    .default(null)
    .describe('Images that pass through the model at a time, their gradients added up; null for the whole batch.'),
  evalBatchSize: wholeNumber(1).default(100).describe('Images that are evaluated at a time.'),
  evalSteps: orNull(wholeNumber(1), 'a whole number of at least 1, or null')
    .default(null)
    .describe('Steps between evaluations within an epoch, beside that at its end; null for none.'),
  epochs: wholeNumber(1).describe('Passes over the training images, at most; a run that is resumed may be given more.'),
  earlyStopping: orNull(part('EarlyStopping', earlyStoppingFields), 'an object with fields, or null')
    .default(null)
    .describe('Ends the run when evaluations do not get better any more; null trains all epochs.'),
  optimizer: part('RecipeOptimizer', recipeOptimizerFields).describe('The optimizer.'),
  schedule: part('RecipeSchedule', scheduleFields)
    .default({ name: 'constant' })
    .describe('The learning rate over the run.'),
  loss: part('RecipeLoss', recipeLossFields).default({ name: 'cross-entropy' }).describe('The loss.'),
  distillation: orNull(part('RecipeDistillation', teacherFields), 'an object with fields, or null')
    .default(null)
    .describe('Another model that says what it sees in each image; null for none.'),
  precision: oneOf(trainingDtypes, { type: 'TrainingDtype' })
    .default('float32')
    .describe(
      "Precision of the matrix products, in training and evaluation; parameters are float32 always. PyTorch's autocast.",
    ),
  gradientCheckpointing: trueOrFalse
    .default(false)
    .describe('Whether layers are computed again in the backward pass: less memory for a third more time.'),
  clipGradNorm: orNull(aboveZero, 'a number above 0, or null for no clipping')
    .default(null)
    .describe('Largest norm of all gradients together; null does not clip.'),
  clipGradValue: orNull(aboveZero, 'a number above 0, or null for no clipping')
    .default(null)
    .describe("Largest size of a gradient's element, after the norm; null does not clip."),
  gradScaler: orNull(part('GradScalerOptions', gradScalerFields), 'an object with fields, or null')
    .default(null)
    .describe("PyTorch's loss scaling, for float16; bfloat16 needs none. {} has its defaults, null does not scale."),
  ema: orNull(part('ModelEmaOptions', modelEmaFields), 'an object with fields, or null')
    .default(null)
    .describe(
      'Averages of the parameters, which are then what is evaluated and kept as the best model; null for none.',
    ),
  seed: number('a whole number from 0 to 4294967295', { least: 0, most: 2 ** 32 - 1, whole: true })
    .default(42)
    .describe('Seed for the initial parameters, the order of the images, their augmentation and dropout.'),
}

/** Schema of a recipe: completes one with the defaults. */
export const recipeSchema: z.ZodType<Recipe> = group(recipeFields) as z.ZodType as z.ZodType<Recipe>
