/** `config.json` of the family, read by its members' tables of fields and written; what changes no number survives. */
import { describeValue, type FieldReading, type FieldTable, finiteNumber, readFields } from '../../files/fields.ts'
import { listNames, shortText } from '../../text.ts'
import { resolveConfig, type ViTConfig, type ViTConfigOptions } from '../config.ts'
import { type Family, fromActivation, type Json } from '../families/family.ts'
import { families, familyOf } from '../families/index.ts'
import { type ModelType, modelTypes } from '../families/model-types.ts'
import { harmlessFields, refusedFields } from './config-fields.ts'
import { namesOfLabels } from './label-names.ts'

const text = { expected: 'a string', read: (value: unknown) => (typeof value === 'string' ? value : undefined) }
const any = { expected: 'anything', read: (value: unknown) => value }

const common: Readonly<Record<string, FieldReading>> = {
  modelType: { key: 'model_type', ...text },
  numLabels: { key: 'num_labels', ...finiteNumber() },
  id2label: { key: 'id2label', ...any },
  label2id: { key: 'label2id', ...any },
}

/** Fields that are Vitral's to write, so that what was read of them is not kept; the last are the weights' type. */
const alwaysWritten = [
  'architectures',
  'qk_scale',
  'torch_dtype',
  'dtype',
  'vision_config',
  'text_config',
  'num_labels',
]

export interface ReadConfig {
  options: ViTConfigOptions
  /** Names of fields that neither transformers' class nor Vitral knows; they are kept, and change nothing. */
  unknown: string[]
}

/**
 * Reads a configuration.
 *
 * @param json the parsed file
 * @param source its path, for errors
 * @throws when it is of no member of the family, a field has the wrong type, or one asks for what Vitral does not have
 */
export function configFromJson(json: unknown, source: string): ReadConfig {
  const file = (typeof json === 'object' && json !== null && !Array.isArray(json) ? json : {}) as Json
  const modelType = modelTypeOf(file, source)
  const family = families[modelType]
  if (modelType === 'timm') return { options: { modelType, ...family.fromJson?.({}, file, source) }, unknown: [] }
  const own = family.ofBoth !== undefined && family.ofBoth === file.model_type ? visionOf(file, source) : file
  const { values, unknown } = readFields(Object.keys(own).length > 0 ? own : json, tableOf(family), source)
  if (Object.keys(values).length === 0)
    throw new Error(`${source} has none of the fields of a ViT's configuration; expected at least model_type.`)
  const missing = family.required?.find(key => (own[key] ?? null) === null)
  if (missing !== undefined)
    throw new Error(
      `${source}: ${missing} is missing, and versions of transformers differ in the default of ${modelType}'s; expected its number.`,
    )
  const { modelType: _, numLabels, id2label, label2id, ...fields } = values
  const known = Object.fromEntries(Object.entries(fields).filter(([field]) => Object.hasOwn(resolveConfig(), field)))
  const options: ViTConfigOptions = { ...known, modelType, ...family.fromJson?.(values, file, source) }
  options.extra = Object.fromEntries(Object.entries(own).filter(([key]) => !rewritten(family).has(key)))
  if ((id2label ?? label2id) !== undefined) options.id2label = namesOfLabels(id2label, label2id, source)
  else if (numLabels !== undefined) options.numLabels = numLabels as number
  return { options, unknown }
}

/**
 * Writes a configuration that Python's transformers, or timm, opens.
 *
 * @param architecture the class's name there
 * @throws when the model is none of its type's: its configuration would be read as another
 */
export function configToJson(config: ViTConfig, architecture: string): Json {
  const isClassifier = architecture.endsWith('ForImageClassification')
  const modelType = (isClassifier && familyOf(config).classifierType) || config.modelType
  const family = families[modelType]
  const json =
    modelType === 'timm'
      ? { ...config.extra, ...family.toJson?.(config, architecture) }
      : fieldsOf(config, architecture, modelType)
  requireSame({ ...config, modelType }, json, isClassifier)
  return json
}

/**
 * Whether a config.json describes a classifier: one whose architectures are all others describes a bare model, or one for
 * pre-training.
 */
export function describesClassifier(json: unknown): boolean {
  const { architectures, architecture, num_classes: numClasses } = (json ?? {}) as Json
  if (typeof architecture === 'string') return numClasses !== 0
  if (!Array.isArray(architectures) || architectures.length === 0) return true
  return architectures.some(name => /ForImageClassification(WithTeacher)?$/.test(String(name)))
}

function fieldsOf(config: ViTConfig, architecture: string, modelType: ModelType): Json {
  const family = families[modelType]
  const defaults = resolveConfig({ modelType })
  const written = Object.entries(family.fields).filter(
    ([field]) =>
      Object.hasOwn(config, field) &&
      !(
        (field === 'problemType' || family.leftOutByDefault?.includes(field)) &&
        fieldValue(config, field) === fieldValue(defaults, field)
      ),
  )
  const fields = {
    ...Object.fromEntries(written.map(([field, { key }]) => [key, fieldValue(config, field)])),
    ...(config.hiddenAct !== 'gelu' && { hidden_act: fromActivation(config.hiddenAct) }),
  }
  const labels = Object.entries(config.id2label)
  const head = {
    ...(config.numLabels === 0 && { num_labels: 0 }),
    id2label: Object.fromEntries(labels),
    label2id: Object.fromEntries(labels.map(([id, label]) => [label, Number(id)])),
  }
  const own = { ...fields, ...family.toJson?.(config, architecture) }
  if (family.ofBoth !== undefined && architecture.endsWith('ForImageClassification'))
    return {
      architectures: [architecture],
      model_type: family.ofBoth,
      vision_config: { ...config.extra, model_type: modelType, ...own },
      ...(config.problemType !== null && { problem_type: config.problemType }),
      ...head,
    }
  return { ...config.extra, architectures: [architecture], model_type: modelType, ...own, ...head }
}

const fieldValue = (config: ViTConfig, field: string): unknown => (config as unknown as Json)[field]

/** What a model computes has to be what its file says. */
function requireSame(config: ViTConfig, json: Json, isClassifier: boolean): void {
  if (config.modelType === 'timm') return
  const { options } = configFromJson(json, 'config.json')
  const read = resolveConfig({ ...options, id2label: config.id2label })
  const unlike = Object.keys(config).filter(
    field =>
      !['extra', 'id2label', 'numLabels', 'qkScale', ...(isClassifier ? [] : ['headInput'])].includes(field) &&
      JSON.stringify(fieldValue(config, field)) !== JSON.stringify(fieldValue(read, field)),
  )
  if (unlike.length > 0)
    throw new Error(
      `A model of type '${config.modelType}' cannot be saved with ${listNames(unlike)} of its own: ${describeValue(fieldValue(config, unlike[0] as string))}, which config.json of that type does not say; expected ${describeValue(fieldValue(read, unlike[0] as string))}.`,
    )
}

function tableOf(family: Family): FieldTable<string> {
  const obeyed = { ...common, ...family.fields }
  const keys = new Set([...Object.values(obeyed).map(({ key }) => key), ...(family.harmless ?? [])])
  const refused = { ...refusedFields, ...family.refused }
  return {
    what: 'a Hugging Face configuration',
    obeyed,
    harmless: [...harmlessFields, ...(family.harmless ?? [])],
    refused: Object.fromEntries(
      Object.entries(refused).filter(([key]) => !keys.has(key) || Object.hasOwn(family.refused ?? {}, key)),
    ),
    unknown: 'returned',
  }
}

/** Keys that are written, or written by the family's own way. */
const rewritten = (family: Family): Set<string> =>
  new Set([...Object.values({ ...common, ...family.fields }).map(({ key }) => key), ...alwaysWritten])

/** The tower's fields of a model of two, with the labels that stand beside them. */
function visionOf(file: Json, source: string): Json {
  const { vision_config: vision, ...both } = file
  if (typeof vision !== 'object' || vision === null || Array.isArray(vision))
    throw new Error(`${source}: vision_config is ${describeValue(vision)}; expected the fields of the vision tower.`)
  const shared = ['id2label', 'label2id', 'num_labels', 'problem_type', 'architectures', 'projection_dim']
  return { ...vision, ...Object.fromEntries(shared.filter(key => key in both).map(key => [key, both[key]])) }
}

/** The member that a file describes; what a field of another kind of file says more about than its own value is refused. */
function modelTypeOf(file: Json, source: string): ModelType {
  const { model_type: type } = file
  if (type === undefined && (file.pretrained_cfg ?? file.architecture) !== undefined) return 'timm'
  if ((file.qk_scale ?? null) !== null)
    throw new Error(
      `${source}: qk_scale is ${describeValue(file.qk_scale)}, which transformers' ViT would pass over; expected no such field. ` +
        'If the weights were trained with that factor, multiply the weights and biases of the queries by it and by the square root of the width of a head.',
    )
  const found = modelTypes.find(
    name => name !== 'timm' && (name === (type ?? 'vit') || (type !== undefined && families[name].ofBoth === type)),
  )
  if (found !== undefined) return found
  const both = Object.values(families).flatMap(({ ofBoth }) => ofBoth ?? [])
  const types = [...modelTypes.filter(name => name !== 'timm'), ...both]
  throw new Error(
    `${source} describes a model of type '${shortText(String(type))}'; Vitral reads ${types.map(name => `'${name}'`).join(', ')}.`,
  )
}
