/** `config.json` as Hugging Face writes it, read by its table of fields and written; what changes no number survives. */
import {
  describeValue,
  type FieldReading,
  type FieldTable,
  finiteNumber,
  readFields,
  trueOrFalse,
} from '../../files/fields.ts'
import { shortText } from '../../text.ts'
import { resolveConfig, type ViTConfig, type ViTConfigOptions } from '../config.ts'
import { harmlessFields, refusedFields } from './config-fields.ts'
import { namesOfLabels } from './label-names.ts'

type Json = Record<string, unknown>
type Field = Exclude<keyof ViTConfig, 'extra' | 'id2label' | 'numLabels' | 'qkScale'>

const text = { expected: 'a string', read: (value: unknown) => (typeof value === 'string' ? value : undefined) }
const size = { expected: 'a number or [height, width]', read: toSize }
const any = { expected: 'anything', read: (value: unknown) => value }

/** Our names and the file's. dropPathRate is Vitral's own, for training; transformers keeps and ignores it. */
const readings: Record<Field, FieldReading> = {
  hiddenSize: { key: 'hidden_size', ...finiteNumber() },
  numHiddenLayers: { key: 'num_hidden_layers', ...finiteNumber() },
  numAttentionHeads: { key: 'num_attention_heads', ...finiteNumber() },
  intermediateSize: { key: 'intermediate_size', ...finiteNumber() },
  hiddenAct: { key: 'hidden_act', expected: 'a string', read: toActivation },
  hiddenDropoutProb: { key: 'hidden_dropout_prob', ...finiteNumber() },
  attentionProbsDropoutProb: { key: 'attention_probs_dropout_prob', ...finiteNumber() },
  initializerRange: { key: 'initializer_range', ...finiteNumber() },
  layerNormEps: { key: 'layer_norm_eps', ...finiteNumber() },
  imageSize: { key: 'image_size', ...size },
  patchSize: { key: 'patch_size', ...size },
  numChannels: { key: 'num_channels', ...finiteNumber() },
  qkvBias: { key: 'qkv_bias', ...trueOrFalse },
  dropPathRate: { key: 'drop_path_rate', ...finiteNumber() },
  poolerAct: { key: 'pooler_act', ...text },
  poolerOutputSize: { key: 'pooler_output_size', ...finiteNumber() },
  problemType: { key: 'problem_type', ...text },
}

const table: FieldTable<Field | 'modelType' | 'numLabels' | 'id2label' | 'label2id'> = {
  what: 'a Hugging Face configuration',
  obeyed: {
    modelType: { key: 'model_type', ...text },
    ...readings,
    numLabels: { key: 'num_labels', ...finiteNumber() },
    id2label: { key: 'id2label', ...any },
    label2id: { key: 'label2id', ...any },
  },
  harmless: harmlessFields,
  refused: refusedFields,
  unknown: 'returned',
}

/** Fields that Vitral writes itself, so that what was read of them is not kept; the last are the weights' type. */
const rewritten = new Set([
  ...Object.values(table.obeyed).map(({ key }) => key),
  ...['architectures', 'qk_scale', 'torch_dtype', 'dtype'],
])

/** Vitral's own fields, written only where they differ from the default. */
const leftOutByDefault: readonly Field[] = ['dropPathRate', 'poolerAct', 'poolerOutputSize', 'problemType']

export interface ReadConfig {
  options: ViTConfigOptions
  /** Names of fields that neither transformers' ViT nor Vitral knows; they are kept, and change nothing. */
  unknown: string[]
}

/**
 * Reads a configuration.
 *
 * @param json the parsed file
 * @param source its path, for errors
 * @throws when it is no ViT's, a field has the wrong type, or one asks for what Vitral does not have
 */
export function configFromJson(json: unknown, source: string): ReadConfig {
  const file = (typeof json === 'object' && json !== null ? json : {}) as Json
  refuseOthers(file, source)
  const { values, unknown } = readFields(json, table, source)
  if (Object.keys(values).length === 0)
    throw new Error(`${source} has none of the fields of a ViT's configuration; expected at least model_type.`)
  const { modelType, numLabels, id2label, label2id, ...fields } = values
  const options = fields as ViTConfigOptions
  options.extra = Object.fromEntries(Object.entries(file).filter(([key]) => !rewritten.has(key)))
  if ((id2label ?? label2id) !== undefined) options.id2label = namesOfLabels(id2label, label2id, source)
  else if (numLabels !== undefined) options.numLabels = numLabels as number
  return { options, unknown }
}

/** Writes a configuration that Python's transformers opens; `architecture` is the class's name. */
export function configToJson(config: ViTConfig, architecture: string): Json {
  const defaults = resolveConfig()
  const fields = (Object.entries(readings) as [Field, FieldReading][]).filter(
    ([field]) => !(leftOutByDefault.includes(field) && config[field] === defaults[field]),
  )
  const labels = Object.entries(config.id2label)
  return {
    ...config.extra,
    architectures: [architecture],
    model_type: 'vit',
    ...Object.fromEntries(fields.map(([field, { key }]) => [key, config[field]])),
    ...(config.numLabels === 0 && { num_labels: 0 }),
    id2label: Object.fromEntries(labels),
    label2id: Object.fromEntries(labels.map(([id, label]) => [label, Number(id)])),
  }
}

/** What a field of another kind of file says more about than its own value. */
function refuseOthers({ model_type: type, ...file }: Json, source: string): void {
  if (type === undefined && (file.pretrained_cfg ?? file.architecture) !== undefined)
    throw new Error(
      `${source} describes ${describeValue(file.architecture)}, a model of timm's; Vitral reads those of transformers. ` +
        "Convert it with transformers' convert_vit_timm_to_pytorch.py.",
    )
  if (type !== undefined && type !== null && type !== 'vit')
    throw new Error(`${source} describes a model of type '${shortText(String(type))}'; Vitral reads 'vit'.`)
  if ((file.qk_scale ?? null) !== null)
    throw new Error(
      `${source}: qk_scale is ${describeValue(file.qk_scale)}, which transformers' ViT would pass over; expected no such field. ` +
        'If the weights were trained with that factor, multiply the weights and biases of the queries by it and by the square root of the width of a head.',
    )
}

function toSize(value: unknown): unknown {
  const sizes = Array.isArray(value) ? value : [value]
  return sizes.length <= 2 && sizes.every(length => Number.isFinite(length)) ? value : undefined
}

/** transformers calls the same exact function by two names. */
function toActivation(value: unknown): unknown {
  return value === 'gelu_python' ? 'gelu' : text.read(value)
}
