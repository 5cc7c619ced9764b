/** A recipe checked by its schema, and by what the schema cannot say: how fields go together. */
import type { LoraConfig } from '@vitral/core'
import { describeValue } from '@vitral/core/files'
import { listNames } from '@vitral/core/text'
import { resolveLora } from '@vitral/core/vit'
import { z } from 'zod'
import { didYouMean } from '../did-you-mean.ts'
import { resolveOptions } from '../optimizers/algorithms.ts'
import { createLoss } from '../step/losses.ts'
import { check } from './kinds.ts'
import { recipeScheduler } from './schedule.ts'
import { recipeSchema } from './schema.ts'
import { recipeTransforms } from './transforms.ts'
import type { Recipe } from './types.ts'

type Group = { [key: string]: unknown }

/**
 * The recipe with its defaults.
 *
 * @throws naming the first field that is unknown, missing or wrong, and what it should be.
 */
export function checkRecipe(given: object): Recipe {
  refuseUnknown(given as Group)
  const result = check(recipeSchema, given)
  if ('problem' in result) {
    const { path, value, expected } = result.problem
    throw new Error(`The recipe's ${path} is ${describeValue(value)}; expected ${expected}.`)
  }
  checkTogether(result.data)
  return result.data
}

/** @throws when fields do not go together */
function checkTogether(recipe: Recipe): void {
  const { model, fineTune, schedule, epochs } = recipe
  if (model.pretrained !== undefined && model.name !== undefined)
    throw new Error("The recipe's model has both a name and a pretrained folder or hub id; expected one of them.")
  if (typeof fineTune === 'object' && 'lora' in fineTune) checkLora(fineTune.lora)
  if (model.pretrained !== undefined && model.init !== undefined)
    throw new Error("The recipe's model has both init and a pretrained folder or hub id; expected one of them.")
  const { name, noDecay, layerDecay, ...options } = recipe.optimizer
  const { lr = 1 } = resolveOptions(name, options)
  const { name: lossName, ...lossOptions } = recipe.loss
  createLoss(lossName, lossOptions)
  checkTransforms(recipe)
  if ((schedule.warmupEpochs ?? 0) > epochs)
    throw new Error(
      `The recipe's schedule.warmupEpochs is ${schedule.warmupEpochs}; expected at most its epochs, ${epochs}.`,
    )
  recipeScheduler(recipe, lr, 1)
}

function checkTransforms(recipe: Recipe): void {
  try {
    recipeTransforms(recipe)
  } catch (error) {
    throw new Error(`The recipe's transforms cannot be made: ${(error as Error).message}`, { cause: error })
  }
}

function checkLora(lora: Partial<LoraConfig>): void {
  try {
    resolveLora(lora)
  } catch (error) {
    throw new Error(`The recipe's fineTune.lora: ${(error as Error).message}`)
  }
}

/** Whether a recipe has fields below this one. */
export const hasFields = (path: string): boolean => paths.some(other => other.startsWith(`${path}.`))

/** The schemas of all fields by their paths, those of groups before those within. */
const schemas: ReadonlyMap<string, z.ZodType> = new Map(fieldsWithin(recipeSchema))
const paths: readonly string[] = [...schemas.keys()]

function fieldsWithin(schema: unknown, prefix = ''): [path: string, schema: z.ZodType][] {
  if (schema instanceof z.ZodObject)
    return Object.entries<z.ZodType>(schema.shape).flatMap(([name, field]) => [
      [`${prefix}${name}`, field],
      ...fieldsWithin(field, `${prefix}${name}.`),
    ])
  if (schema instanceof z.ZodUnion) return schema.options.flatMap(option => fieldsWithin(option, prefix))
  return isWrapper(schema) ? fieldsWithin(schema.unwrap(), prefix) : []
}

function isWrapper(schema: unknown): schema is z.ZodDefault | z.ZodOptional {
  return schema instanceof z.ZodDefault || schema instanceof z.ZodOptional
}

/** What is said of a field: for the options of commands. */
export interface FieldDescription {
  description: string
  /** 'int', 'number' or 'string'. */
  type: string
  /** What a text can be, where it is one of some names. */
  names?: readonly string[]
}

/** The description of a field that holds a number or text, by its path. */
export function describeField(path: string): FieldDescription {
  const field = schemas.get(path)
  const { description = '' } = field?.meta() ?? {}
  let schema: unknown = field
  while (isWrapper(schema)) schema = schema.unwrap()
  if (schema instanceof z.ZodEnum) return { description, type: 'string', names: schema.options as string[] }
  if (schema instanceof z.ZodNumber) return { description, type: schema.isInt ? 'int' : 'number' }
  return { description, type: 'string' }
}

function refuseUnknown(group: Group, prefix = ''): void {
  const known = paths.filter(path => path.startsWith(prefix) && !path.slice(prefix.length).includes('.'))
  for (const [key, value] of Object.entries(group)) {
    const path = prefix + key
    if (!known.includes(path))
      throw new Error(
        `A recipe has no field '${path}'; expected one of ${listNames(known, 12)}.${didYouMean(path, paths)}`,
      )
    if (hasFields(path) && typeof value === 'object' && value !== null && !Array.isArray(value))
      refuseUnknown(value as Group, `${path}.`)
  }
}
