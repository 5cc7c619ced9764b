/**
 * Writes what follows from the schema of a recipe: src/recipe/types.ts, whose docstrings editors show, and recipe.schema.json,
 * by which they complete recipes in JSON. A test compares both with the schema.
 *
 *     bun scripts/recipe-files.ts
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { earlyStoppingFields } from '../src/evaluation/choose-best.ts'
import { optimizerFields } from '../src/optimizers/algorithms.ts'
import { groupFields } from '../src/optimizers/parameter-groups.ts'
import { typeNames } from '../src/recipe/kinds.ts'
import { fineTune, modelFields } from '../src/recipe/model-fields.ts'
import {
  recipeFields,
  recipeLossFields,
  recipeOptimizerFields,
  recipeSchema,
  samplerFields,
  scheduleFields,
  teacherFields,
  transformsFields,
} from '../src/recipe/schema.ts'
import { factorFields, shapeFields } from '../src/schedules/shapes.ts'
import { distillationFields } from '../src/step/distillation.ts'
import { gradScalerFields } from '../src/step/grad-scaler.ts'
import { lossFields } from '../src/step/losses.ts'
import { modelEmaFields } from '../src/step/model-ema.ts'

type Table = Readonly<Record<string, z.ZodType>>
interface Meta {
  description?: string
  default?: unknown
  /** The default in words, where it depends on other options. */
  defaultNote?: string
}

interface Interface {
  description: string
  fields: Table
  /** What the interface extends: the types, and the fields that it has from them. */
  bases?: Record<string, Table>
}

const interfaces: Record<string, Interface> = {
  Recipe: {
    description: 'A recipe: everything that decides what a training run computes, apart from where its files are.',
    fields: recipeFields,
  },
  RecipeModel: { description: 'The model that a recipe starts from.', fields: modelFields },
  RecipeSampler: { description: 'Which images an epoch has.', fields: samplerFields },
  RecipeTransforms: { description: 'Transforms of images, by name and arguments.', fields: transformsFields },
  OptimizerOptions: { description: 'Options of createOptimizer.', fields: optimizerFields },
  GroupOptions: { description: 'Options of parameterGroups.', fields: groupFields },
  RecipeOptimizer: {
    description: "A recipe's optimizer: its name and options.",
    fields: recipeOptimizerFields,
    bases: { OptimizerOptions: optimizerFields, GroupOptions: groupFields },
  },
  ShapeOptions: { description: 'Options of the schedules, lengths in steps.', fields: shapeFields },
  RecipeSchedule: {
    description: "A recipe's schedule: its name and options, lengths in epochs.",
    fields: scheduleFields,
    bases: { "Omit<ShapeOptions, 'cycleSteps' | 'stepSize' | 'milestones'>": factorFields },
  },
  LossOptions: { description: 'Options of createLoss.', fields: lossFields },
  RecipeLoss: {
    description: "A recipe's loss: its name and options.",
    fields: recipeLossFields,
    bases: { LossOptions: lossFields },
  },
  DistillationOptions: { description: 'Options of distill.', fields: distillationFields },
  RecipeDistillation: {
    description: "A recipe's teacher, and how the model learns from it.",
    fields: teacherFields,
    bases: { DistillationOptions: distillationFields },
  },
  GradScalerOptions: { description: 'Options of a GradScaler.', fields: gradScalerFields },
  ModelEmaOptions: { description: 'Options of createModelEma.', fields: modelEmaFields },
  EarlyStopping: {
    description: 'What ends a run when evaluations do not get better any more.',
    fields: earlyStoppingFields,
  },
}

/** Types with a name that are not interfaces, and what they are. */
const aliases: Record<string, [description: string, schema: z.ZodType]> = {
  FineTune: ['What trains.', fineTune],
  OptimizerName: ['Name of an optimizer.', recipeOptimizerFields.name],
  ScheduleName: ['Name of a schedule.', scheduleFields.name],
  LossName: ['Name of a loss.', recipeLossFields.name],
  SamplerName: ['Name of a sampler.', samplerFields.name],
}

/** The schema's TypeScript type; by its name, where it has one. */
function typeOf(schema: z.ZodType): string {
  const named = typeNames.get(schema)
  return named ? named.type : structureOf(schema)
}

function structureOf(schema: z.ZodType): string {
  const inner = (type: unknown): string => typeOf(type as z.ZodType)
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) return inner(schema.unwrap())
  if (schema instanceof z.ZodReadonly) return `readonly ${inner(schema.unwrap())}`
  if (schema instanceof z.ZodArray) return `${inner(schema.element)}[]`
  if (schema instanceof z.ZodTuple) return `[${schema.def.items.map(inner).join(', ')}]`
  if (schema instanceof z.ZodUnion) return schema.options.map(inner).join(' | ')
  if (schema instanceof z.ZodEnum) return schema.options.map(quoted).join(' | ')
  if (schema instanceof z.ZodLiteral) return [...schema.values].map(quoted).join(' | ')
  if (schema instanceof z.ZodObject)
    return `{ ${Object.entries(schema.shape)
      .map(([name, field]) => `${name}: ${inner(field)}`)
      .join('; ')} }`
  return schema.type
}

const quoted = (value: unknown): string => `'${value}'`

/** A docstring, in lines of at most 120 characters; `standard` is the default's text. */
function docstring(text: string, standard = '', indent = ''): string {
  const tag = standard && `@default ${standard}`
  const whole = `${indent}/** ${[text, tag].filter(Boolean).join(' ')} */`
  if (whole.length <= 120) return whole
  const lines = ['']
  for (const word of text.split(' ')) {
    const line = lines.at(-1) as string
    if (line && indent.length + 4 + line.length + word.length > 120) lines.push(word)
    else lines[lines.length - 1] = line ? `${line} ${word}` : word
  }
  if (tag) lines.push(tag)
  return [`${indent}/**`, ...lines.map(line => `${indent} * ${line}`), `${indent} */`].join('\n')
}

function fieldOf(name: string, schema: z.ZodType, filled: boolean): string {
  const { description = '', default: given, defaultNote } = { ...(schema.meta() as Meta | undefined) }
  const value = schema instanceof z.ZodDefault ? schema.parse(undefined) : given
  const standard = defaultNote ?? (value === undefined ? undefined : textOf(value))
  const isOptional = schema instanceof z.ZodOptional || (!filled && schema instanceof z.ZodDefault)
  return `${docstring(description, standard, '  ')}\n  ${name}${isOptional ? '?' : ''}: ${typeOf(schema)}`
}

/** A value as TypeScript writes it. */
const textOf = (value: unknown): string =>
  JSON.stringify(value)
    .replaceAll(/"(\w+)":/g, '$1: ')
    .replaceAll('"', "'")
    .replaceAll(/^\{|\}$/g, brace => (brace === '{' ? '{ ' : ' }'))

/** @param filled whether fields with a default are always there */
function interfaceOf(name: string, filled: boolean): string {
  const { description, fields, bases = {} } = interfaces[name] as Interface
  const inherited = Object.values(bases).flatMap(Object.keys)
  const own = Object.entries(fields).filter(([field]) => !inherited.includes(field))
  const extended = Object.keys(bases).join(', ')
  return `${docstring(description)}
export interface ${name} ${extended && `extends ${extended} `}{
${own.map(([field, schema]) => fieldOf(field, schema, filled)).join('\n')}
}`
}

const header = `/**
 * The types of a recipe and its parts. Written by \`bun scripts/recipe-files.ts\` from the schema in schema.ts and the tables of
 * options beside what takes them: change those.
 */
import type { LoraConfig, TrainingDtype, ViTConfigOptions } from '@vitral/core'
import type { TransformSpec } from '@vitral/datasets'`

function types(): string {
  const defaulted = Object.entries(recipeFields).filter(([, schema]) => schema instanceof z.ZodDefault)
  return format(
    'types.ts',
    [
      header,
      ...Object.keys(interfaces).map(name => interfaceOf(name, name === 'Recipe')),
      ...Object.entries(aliases).map(
        ([name, [description, schema]]) => `${docstring(description)}\nexport type ${name} = ${structureOf(schema)}`,
      ),
      `/** Fields of a recipe that may be left out. */\nexport type DefaultedField = ${defaulted.map(([name]) => quoted(name)).join(' | ')}`,
    ].join('\n\n'),
  )
}

function jsonSchema(): string {
  const schema = z.toJSONSchema(recipeSchema, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ jsonSchema: part }) => void delete part.defaultNote,
  })
  const properties = { $schema: { type: 'string', description: 'Address of this schema.' }, ...schema.properties }
  return format('recipe.schema.json', JSON.stringify({ ...schema, title: 'Recipe of Vitral', properties }))
}

/** The text as the linter wants it. */
function format(name: string, text: string): string {
  const { stdout, stderr, success } = Bun.spawnSync(['bunx', 'biome', 'format', `--stdin-file-path=${name}`], {
    stdin: new TextEncoder().encode(text),
  })
  if (!success) throw new Error(`${name} cannot be formatted: ${stderr}`)
  return stdout.toString()
}

/** The files' texts by their paths in this package. */
export const recipeFiles = (): Record<string, string> => ({
  'src/recipe/types.ts': types(),
  'recipe.schema.json': jsonSchema(),
})

if (import.meta.main)
  for (const [path, text] of Object.entries(recipeFiles())) writeFileSync(join(import.meta.dirname, '..', path), text)
