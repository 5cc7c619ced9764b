/** `config.json` as Hugging Face writes it, read and written; what Vitral does not know survives. */
import { resolveConfig, type ViTConfig, type ViTConfigOptions } from './config.ts'

type Json = Record<string, unknown>
type Field = Exclude<keyof ViTConfig, 'extra' | 'id2label' | 'numLabels'>

/** Our names and the file's. dropPathRate and qkScale are Vitral's own; transformers keeps and ignores them. */
const names: readonly (readonly [Field, string])[] = [
  ['hiddenSize', 'hidden_size'],
  ['numHiddenLayers', 'num_hidden_layers'],
  ['numAttentionHeads', 'num_attention_heads'],
  ['intermediateSize', 'intermediate_size'],
  ['hiddenAct', 'hidden_act'],
  ['hiddenDropoutProb', 'hidden_dropout_prob'],
  ['attentionProbsDropoutProb', 'attention_probs_dropout_prob'],
  ['initializerRange', 'initializer_range'],
  ['layerNormEps', 'layer_norm_eps'],
  ['imageSize', 'image_size'],
  ['patchSize', 'patch_size'],
  ['numChannels', 'num_channels'],
  ['qkvBias', 'qkv_bias'],
  ['dropPathRate', 'drop_path_rate'],
  ['qkScale', 'qk_scale'],
  ['problemType', 'problem_type'],
]

/** Fields Vitral writes anew, so that what was read of them is not kept beside; the last two are the weights' type. */
const rewritten = [
  'model_type',
  'architectures',
  'id2label',
  'label2id',
  'num_labels',
  ...names.map(([, json]) => json),
  'torch_dtype',
  'dtype',
]

/**
 * Reads a configuration.
 *
 * @param json the parsed file
 * @param source its path, for errors
 * @throws when it is no ViT's, or a field has the wrong type
 */
export function configFromJson(json: unknown, source: string): ViTConfigOptions {
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new Error(`${source} holds no JSON object; expected a Hugging Face configuration.`)
  const file = json as Json
  if (file.model_type !== undefined && file.model_type !== 'vit')
    throw new Error(`${source} describes a model of type '${file.model_type}'; Vitral reads 'vit'.`)
  const options: Json = { extra: Object.fromEntries(Object.entries(file).filter(([key]) => !rewritten.includes(key))) }
  for (const [field, key] of names) {
    const value = file[key]
    if (value === undefined || (value === null && field !== 'qkScale' && field !== 'problemType')) continue
    checkType(field, value, `${source}: ${key}`)
    options[field] = value
  }
  const { id2label, num_labels: numLabels } = file
  if (numLabels !== undefined && typeof numLabels !== 'number')
    throw new Error(`${source}: num_labels is ${JSON.stringify(numLabels)}; expected a number.`)
  if (id2label !== undefined && id2label !== null) options.id2label = labelsFromJson(id2label, source)
  else if (numLabels !== undefined) options.numLabels = numLabels
  return options as ViTConfigOptions
}

/** Writes a configuration that Python's transformers opens; `architecture` is the class's name. */
export function configToJson(config: ViTConfig, architecture: string): Json {
  const fields = names.filter(([field]) => !isDefaultOfOurs(field, config)).map(([field, key]) => [key, config[field]])
  const labels = Object.entries(config.id2label)
  return {
    ...config.extra,
    architectures: [architecture],
    model_type: 'vit',
    ...Object.fromEntries(fields),
    ...(config.numLabels === 0 && { num_labels: 0 }),
    id2label: Object.fromEntries(labels),
    label2id: Object.fromEntries(labels.map(([id, label]) => [label, Number(id)])),
  }
}

function isDefaultOfOurs(field: Field, config: ViTConfig): boolean {
  return ['dropPathRate', 'qkScale', 'problemType'].includes(field) && config[field] === resolveConfig()[field]
}

const nullable: Partial<Record<Field, string>> = { qkScale: 'number', problemType: 'string' }

function checkType(field: Field, value: unknown, where: string): void {
  if (field === 'imageSize' || field === 'patchSize') {
    const fits = typeof value === 'number' || (Array.isArray(value) && value.every(size => typeof size === 'number'))
    if (!fits) throw new Error(`${where} is ${JSON.stringify(value)}; expected a number or [height, width].`)
    return
  }
  const expected = nullable[field] ?? typeof resolveConfig()[field]
  if (value !== null && typeof value !== expected)
    throw new Error(`${where} is ${JSON.stringify(value)}; expected a ${expected}.`)
}

/** HF's JSON has string keys, "0" to "K − 1". */
function labelsFromJson(id2label: unknown, source: string): Record<number, string> {
  const entries = typeof id2label === 'object' && id2label !== null ? Object.entries(id2label) : []
  const complete =
    entries.every(([, label]) => typeof label === 'string') &&
    entries.every((_, i) => Object.hasOwn(id2label as object, i))
  if (!complete || (entries.length === 0 && JSON.stringify(id2label) !== '{}'))
    throw new Error(`${source}: id2label is not a map from "0" … "K − 1" to names.`)
  return Object.fromEntries(entries.map(([id, label]) => [Number(id), label as string]))
}
