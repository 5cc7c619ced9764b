/** The fields of a recipe and what each may hold, as a table. */
import { configNames, type LoraConfig, namedConfig, resolveLora } from '@vitral/core'
import { algorithms, resolveOptions } from './optimizers/algorithms.ts'
import type { Recipe } from './recipe.ts'
import { scheduleNames } from './schedules.ts'

interface Field {
  accepts: (value: unknown) => boolean
  expected: string
  optional?: true
}

const number = (expected: string, accepts: (value: number) => boolean): Field => ({
  accepts: value => typeof value === 'number' && Number.isFinite(value) && accepts(value),
  expected,
})
const atLeastOne = number('a whole number of at least 1', value => Number.isInteger(value) && value >= 1)
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
const optional = (field: Field): Field => ({ ...field, optional: true })

/** A configuration's fields; its classes come from the data set. */
const configFields = [...Object.keys(namedConfig(configNames[0] as string)), 'mlpRatio'].filter(
  name => !['numLabels', 'id2label', 'extra'].includes(name),
)

const fields: Record<string, Field> = {
  model: object,
  'model.pretrained': optional({ ...text, expected: 'a folder or a hub id' }),
  'model.name': optional({ ...text, expected: 'the name of a configuration' }),
  'model.config': optional(object),
  ...Object.fromEntries(configFields.map(name => [`model.config.${name}`, optional(any)])),
  dataset: text,
  transforms: text,
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
  evalBatchSize: atLeastOne,
  epochs: atLeastOne,
  optimizer: object,
  'optimizer.name': oneOf(Object.keys(algorithms)),
  'optimizer.lr': optional(any),
  'optimizer.weightDecay': optional(any),
  'optimizer.betas': optional(any),
  'optimizer.eps': optional(any),
  'optimizer.momentum': optional(any),
  'optimizer.nesterov': optional(any),
  schedule: object,
  'schedule.name': oneOf(scheduleNames),
  'schedule.warmupEpochs': optional(notNegative),
  'schedule.minLr': optional(notNegative),
  labelSmoothing: number('a number from 0 to below 1', value => value >= 0 && value < 1),
  precision: oneOf(['float32', 'bfloat16']),
  gradientCheckpointing: { accepts: value => typeof value === 'boolean', expected: 'true or false' },
  clipGradNorm: {
    accepts: value => value === null || (typeof value === 'number' && value > 0),
    expected: 'a number above 0, or null for no clipping',
  },
  seed: number(
    'a whole number from 0 to 4294967295',
    value => Number.isInteger(value) && value >= 0 && value < 2 ** 32,
  ),
}

/** @throws naming the first field that is unknown, missing or wrong, and what it should be. */
export function checkRecipe(recipe: Recipe): Recipe {
  refuseUnknown(recipe as unknown as Group)
  for (const [path, { accepts, expected, optional }] of Object.entries(fields)) {
    const value = read(recipe, path)
    if (value === undefined && optional) continue
    if (!accepts(value))
      throw new Error(`The recipe's ${path} is ${JSON.stringify(value) ?? 'missing'}; expected ${expected}.`)
  }
  const { model, fineTune, optimizer, schedule, epochs } = recipe
  if (model.pretrained !== undefined && model.name !== undefined)
    throw new Error("The recipe's model has both a name and a pretrained folder or hub id; expected one of them.")
  if (typeof fineTune === 'object' && 'lora' in fineTune) checkLora(fineTune.lora)
  const { name, ...options } = optimizer
  resolveOptions(name, options)
  if ((schedule.warmupEpochs ?? 0) > epochs)
    throw new Error(
      `The recipe's schedule.warmupEpochs is ${schedule.warmupEpochs}; expected at most its epochs, ${epochs}.`,
    )
  return recipe
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
      throw new Error(`A recipe has no field '${path}'; expected one of ${known.join(', ')}.`)
    if (hasFields(path) && object.accepts(value)) refuseUnknown(value as Group, `${path}.`)
  }
}

const read = (recipe: Recipe, path: string): unknown =>
  path.split('.').reduce<unknown>((group, key) => (group as Group | undefined)?.[key], recipe)
