/** The fields of a recipe and what each may hold, as a table. */
import { configNames, type LoraConfig, namedConfig, resolveLora } from '@vitral/core'
import { isInteger } from '@vitral/core/check'
import { describeValue } from '@vitral/core/files'
import { listNames } from '@vitral/core/text'
import { didYouMean } from '../did-you-mean.ts'
import { algorithms, resolveOptions } from '../optimizers/algorithms.ts'
import { scheduleNames } from '../schedules/index.ts'
import { createLoss, lossNames } from '../step/losses.ts'
import { samplerNames } from './sampler.ts'
import { recipeScheduler } from './schedule.ts'
import { recipeTransforms } from './transforms.ts'
import type { Recipe } from './types.ts'

interface Field {
  accepts: (value: unknown) => boolean
  expected: string
  /** Largest number accepted. */
  most?: number
  optional?: true
}

const number = (expected: string, accepts: (value: number) => boolean): Field => ({
  accepts: value => typeof value === 'number' && Number.isFinite(value) && accepts(value),
  expected,
})
/** Beyond it no memory holds what is counted. */
const MOST = 2 ** 31 - 1
const atLeastOne: Field = {
  ...number('a whole number of at least 1', value => isInteger(value, 1)),
  most: MOST,
}
const aboveZero = number('a number above 0', value => value > 0)
const notNegative = number('a number that is 0 or more', value => value >= 0)
const text: Field = { accepts: value => typeof value === 'string' && value !== '', expected: 'a name' }
const object: Field = {
  accepts: value => typeof value === 'object' && value !== null && !Array.isArray(value),
  expected: 'an object with fields',
}
const oneOf = (names: readonly string[]): Field => ({
  accepts: value => names.includes(value as string),
  expected: `one of ${names.join(', ')}`,
})
/** For fields that are checked elsewhere, where their meaning is known. */
const any: Field = { accepts: () => true, expected: 'any value' }
const boolean: Field = { accepts: value => typeof value === 'boolean', expected: 'true or false' }
const fraction = number('a number from 0 to 1', value => value >= 0 && value <= 1)
const specs: Field = {
  accepts: value =>
    Array.isArray(value) && value.every(spec => typeof spec?.name === 'string' && Array.isArray(spec.args)),
  expected: 'a list of transforms, such as randomHorizontalFlip() or {"name": "randomHorizontalFlip", "args": []}',
}
const weights: Field = {
  accepts: value => Array.isArray(value) && value.every(notNegative.accepts),
  expected: 'a list of numbers that are 0 or more, one for each class',
}
const orNull = (field: Field): Field => ({
  ...field,
  accepts: value => value === null || field.accepts(value),
  expected: `${field.expected}, or null`,
})
const optional = (field: Field): Field => ({ ...field, optional: true })

/** A classifier's fields; its classes come from the data set, and it has no pooler. */
const configFields = [...Object.keys(namedConfig(configNames[0] as string)), 'mlpRatio'].filter(
  name => !['numLabels', 'id2label', 'extra', 'poolerAct', 'poolerOutputSize'].includes(name),
)

const fields: Record<string, Field> = {
  model: object,
  'model.pretrained': optional({ ...text, expected: 'a folder or a hub id' }),
  'model.name': optional({ ...text, expected: 'the name of a configuration' }),
  'model.config': optional(object),
  'model.init': optional(oneOf(['normal', 'mimetic'])),
  ...Object.fromEntries(configFields.map(name => [`model.config.${name}`, optional(any)])),
  dataset: text,
  classes: orNull({
    accepts: value => Array.isArray(value) && value.length > 0 && value.every(text.accepts),
    expected: 'a list of names of classes',
  }),
  validation: {
    accepts: value => value === 'test' || (typeof value === 'number' && value > 0 && value < 1),
    expected: "a share between 0 and 1, or 'test'",
  },
  sampler: object,
  'sampler.name': oneOf(samplerNames),
  'sampler.numRepeats': optional(atLeastOne),
  transforms: {
    accepts: value => text.accepts(value) || object.accepts(value),
    expected: 'the name of a pair of chains, or { train: […], evaluation: […] }',
  },
  'transforms.train': optional(specs),
  'transforms.evaluation': optional(specs),
  batchTransforms: specs,
  fineTune: {
    accepts: value =>
      value === 'all' || value === 'head' || (object.accepts(value) && Object.keys(value as Group).length === 1),
    expected: "'all', 'head', { lastLayers } or { lora }",
  },
  'fineTune.lastLayers': optional(atLeastOne),
  'fineTune.lora': optional(object),
  'fineTune.lora.rank': optional(any),
  'fineTune.lora.alpha': optional(any),
  'fineTune.lora.targets': optional(any),
  batchSize: atLeastOne,
  microBatchSize: orNull(atLeastOne),
  evalBatchSize: atLeastOne,
  evalSteps: orNull(atLeastOne),
  epochs: atLeastOne,
  earlyStopping: orNull(object),
  'earlyStopping.patience': optional(atLeastOne),
  'earlyStopping.minDelta': optional(notNegative),
  optimizer: object,
  'optimizer.name': oneOf(Object.keys(algorithms)),
  'optimizer.lr': optional(any),
  'optimizer.weightDecay': optional(any),
  'optimizer.betas': optional(any),
  'optimizer.eps': optional(any),
  'optimizer.momentum': optional(any),
  'optimizer.nesterov': optional(any),
  'optimizer.noDecay': optional(boolean),
  'optimizer.layerDecay': optional(number('a number above 0 and at most 1', value => value > 0 && value <= 1)),
  schedule: object,
  'schedule.name': oneOf(scheduleNames),
  'schedule.warmupEpochs': optional(notNegative),
  'schedule.minLr': optional(notNegative),
  'schedule.per': optional(oneOf(['step', 'epoch'])),
  'schedule.cycleEpochs': optional(aboveZero),
  'schedule.stepEpochs': optional(aboveZero),
  'schedule.milestoneEpochs': optional({
    accepts: value => Array.isArray(value) && value.every(aboveZero.accepts),
    expected: 'a list of epochs',
  }),
  ...Object.fromEntries(
    [
      'cycleFactor',
      'gamma',
      'pctStart',
      'divFactor',
      'finalDivFactor',
      'factor',
      'patience',
      'threshold',
      'cooldown',
    ].map(name => [`schedule.${name}`, optional(any)]),
  ),
  loss: object,
  'loss.name': oneOf(lossNames),
  'loss.labelSmoothing': optional(number('a number from 0 to below 1', value => value >= 0 && value < 1)),
  'loss.classWeights': optional(weights),
  'loss.positiveWeights': optional(weights),
  'loss.gamma': optional(notNegative),
  distillation: orNull(object),
  'distillation.teacher': optional({ ...text, expected: 'a folder or a hub id' }),
  'distillation.kind': optional(oneOf(['hard', 'soft'])),
  'distillation.weight': optional(fraction),
  'distillation.temperature': optional(aboveZero),
  precision: oneOf(['float32', 'bfloat16']),
  gradientCheckpointing: boolean,
  clipGradNorm: {
    accepts: value => value === null || aboveZero.accepts(value),
    expected: 'a number above 0, or null for no clipping',
  },
  clipGradValue: orNull(aboveZero),
  gradScaler: orNull(object),
  'gradScaler.initScale': optional(aboveZero),
  'gradScaler.growthFactor': optional(number('a number above 1', value => value > 1)),
  'gradScaler.backoffFactor': optional(number('a number between 0 and 1', value => value > 0 && value < 1)),
  'gradScaler.growthInterval': optional(atLeastOne),
  ema: orNull(object),
  'ema.decay': optional(fraction),
  'ema.warmup': optional(boolean),
  seed: number('a whole number from 0 to 4294967295', value => isInteger(value, 0, 2 ** 32 - 1)),
}

/** @throws naming the first field that is unknown, missing or wrong, and what it should be. */
export function checkRecipe(recipe: Recipe): Recipe {
  refuseUnknown(recipe as unknown as Group)
  for (const [path, { accepts, expected, most = Infinity, optional }] of Object.entries(fields)) {
    const value = read(recipe, path)
    if (value === undefined && optional) continue
    if (!accepts(value)) throw new Error(`The recipe's ${path} is ${describeValue(value)}; expected ${expected}.`)
    if ((value as number) > most)
      throw new Error(`The recipe's ${path} is ${describeValue(value)}; expected at most ${most}.`)
  }
  const { model, fineTune, optimizer, schedule, epochs } = recipe
  if (model.pretrained !== undefined && model.name !== undefined)
    throw new Error("The recipe's model has both a name and a pretrained folder or hub id; expected one of them.")
  if (typeof fineTune === 'object' && 'lora' in fineTune) checkLora(fineTune.lora)
  if (model.pretrained !== undefined && model.init !== undefined)
    throw new Error("The recipe's model has both init and a pretrained folder or hub id; expected one of them.")
  const { name, noDecay, layerDecay, ...options } = optimizer
  resolveOptions(name, options)
  const { name: lossName, ...lossOptions } = recipe.loss
  createLoss(lossName, lossOptions)
  checkTransforms(recipe)
  if (recipe.distillation && recipe.distillation.teacher === undefined)
    throw new Error("The recipe's distillation.teacher is missing; expected a folder or a hub id.")
  if (recipe.earlyStopping && recipe.earlyStopping.patience === undefined)
    throw new Error("The recipe's earlyStopping.patience is missing; expected a whole number of at least 1.")
  if ((schedule.warmupEpochs ?? 0) > epochs)
    throw new Error(
      `The recipe's schedule.warmupEpochs is ${schedule.warmupEpochs}; expected at most its epochs, ${epochs}.`,
    )
  const { lr = 1 } = resolveOptions(name, options)
  recipeScheduler(recipe, lr, 1)
  return recipe
}

function checkTransforms(recipe: Recipe): void {
  const { transforms } = recipe
  if (typeof transforms !== 'string')
    for (const part of ['train', 'evaluation'] as const)
      if (transforms[part] === undefined)
        throw new Error(`The recipe's transforms.${part} is missing; expected ${specs.expected}.`)
  try {
    recipeTransforms(recipe)
  } catch (error) {
    throw new Error(`The recipe's transforms cannot be made: ${(error as Error).message}`, { cause: error })
  }
}
/** Whether a recipe has fields below this one. */
export const hasFields = (path: string): boolean => Object.keys(fields).some(other => other.startsWith(`${path}.`))

type Group = { [key: string]: unknown }

function checkLora(lora: Partial<LoraConfig>): void {
  try {
    resolveLora(lora)
  } catch (error) {
    throw new Error(`The recipe's fineTune.lora: ${(error as Error).message}`)
  }
}

function refuseUnknown(group: Group, prefix = ''): void {
  const known = Object.keys(fields).filter(path => path.startsWith(prefix) && !path.slice(prefix.length).includes('.'))
  for (const [key, value] of Object.entries(group)) {
    const path = prefix + key
    if (!Object.hasOwn(fields, path))
      throw new Error(
        `A recipe has no field '${path}'; expected one of ${listNames(known, 12)}.${didYouMean(path, Object.keys(fields))}`,
      )
    if (hasFields(path) && object.accepts(value)) refuseUnknown(value as Group, `${path}.`)
  }
}

const read = (recipe: Recipe, path: string): unknown =>
  path.split('.').reduce<unknown>((group, key) => (group as Group | undefined)?.[key], recipe)
