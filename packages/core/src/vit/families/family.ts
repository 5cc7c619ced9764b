/** What a member of the family says of itself: its fields of config.json, its classes, and the names in its files. */
import { type FieldReading, finiteNumber, trueOrFalse } from '../../files/fields.ts'
import type { ViTConfig, ViTConfigOptions } from '../config.ts'

export type Json = Record<string, unknown>

/** Values that were read, by the names of `fields`. */
export type Values = Readonly<Record<string, unknown>>

export interface Family {
  /** Names of its classes in transformers; without a classifier's its classifiers are saved as `classifierType`. */
  architectures: { model: string; modelWithProjection?: string; classifier?: string }
  /** The member that a classifier is saved as. @default itself */
  classifierType?: ViTConfig['modelType']
  /**
   * Type of the model of both towers that this is one of: its files are read for the tower alone, and a classifier is
   * saved as such, its fields under `vision_config`.
   */
  ofBoth?: string
  /** Whether its bare model pools without a dense pooler. */
  poolsByItself: boolean
  /** Fields of its config.json, by ViTConfig's names or names that `fromJson` knows. */
  fields: Readonly<Record<string, FieldReading>>
  /** Fields that not every version of its class has, written where they differ from the default. */
  leftOutByDefault?: readonly string[]
  /** Its fields that change no number. */
  harmless?: readonly string[]
  /** Fields that it has and Vitral does not, with the values that ask for nothing. */
  refused?: Readonly<Record<string, readonly unknown[]>>
  /** Keys whose defaults differ between versions of transformers. */
  required?: readonly string[]
  /** Our fields of what was read, where they are others than the file's. */
  fromJson?: (values: Values, json: Json, source: string) => ViTConfigOptions
  /** What it writes beside or instead of the values of `fields`. */
  toJson?: (config: ViTConfig, architecture: string) => Json
  names: FamilyNames
}

export interface FamilyNames {
  /** Before the names of the backbone in files of a classifier, and of the bare model. */
  prefixes: { classifier: string; model: string }
  /** Before a layer's number. */
  layers: string
  /** Our names within a layer and theirs; several of ours with one of theirs are joined along the rows, in our order. */
  inLayer: (config: ViTConfig) => readonly Renaming[]
  /** Our other names and theirs. */
  others: (config: ViTConfig) => readonly Renaming[]
  /** Ranks in the files, of tensors that have leading axes of length 1 with us. */
  ranks?: Readonly<Record<string, number>>
  /** Other spellings of names in their files. */
  spelled?: (name: string) => string
  /** Tensors in their files that are no part of the models: decoders, texts, buffers. */
  leftOut?: RegExp
}

/** The beginning of a name, up to a dot or the end, and what stands in its place. */
export type Renaming = readonly [ours: string, theirs: string]

const text = { expected: 'a string', read: (value: unknown) => (typeof value === 'string' ? value : undefined) }

/** Fields of several members. */
export type CommonField =
  | ('hiddenSize' | 'numHiddenLayers' | 'numAttentionHeads' | 'intermediateSize' | 'hiddenAct' | 'hiddenDropoutProb')
  | ('attentionProbsDropoutProb' | 'initializerRange' | 'layerNormEps' | 'imageSize' | 'patchSize' | 'numChannels')
  | ('qkvBias' | 'dropPathRate' | 'poolerAct' | 'poolerOutputSize' | 'problemType')

/** Sizes and activations by our names; a family takes those it has. */
export const commonFields: Readonly<Record<CommonField, FieldReading>> = {
  hiddenSize: { key: 'hidden_size', ...finiteNumber() },
  numHiddenLayers: { key: 'num_hidden_layers', ...finiteNumber() },
  numAttentionHeads: { key: 'num_attention_heads', ...finiteNumber() },
  intermediateSize: { key: 'intermediate_size', ...finiteNumber() },
  hiddenAct: { key: 'hidden_act', expected: 'a string', read: toActivation },
  hiddenDropoutProb: { key: 'hidden_dropout_prob', ...finiteNumber() },
  attentionProbsDropoutProb: { key: 'attention_probs_dropout_prob', ...finiteNumber() },
  initializerRange: { key: 'initializer_range', ...finiteNumber() },
  layerNormEps: { key: 'layer_norm_eps', ...finiteNumber() },
  imageSize: { key: 'image_size', expected: 'a number or [height, width]', read: toSize },
  patchSize: { key: 'patch_size', expected: 'a number or [height, width]', read: toSize },
  numChannels: { key: 'num_channels', ...finiteNumber() },
  qkvBias: { key: 'qkv_bias', ...trueOrFalse },
  dropPathRate: { key: 'drop_path_rate', ...finiteNumber() },
  poolerAct: { key: 'pooler_act', ...text },
  poolerOutputSize: { key: 'pooler_output_size', ...finiteNumber() },
  problemType: { key: 'problem_type', ...text },
}

/** Some of the common fields. */
export const fieldsOf = (...names: readonly CommonField[]): Record<string, FieldReading> =>
  Object.fromEntries(names.map(name => [name, commonFields[name]]))

export const transformerFields: Record<string, FieldReading> = fieldsOf(
  ...(['hiddenSize', 'numHiddenLayers', 'numAttentionHeads', 'hiddenAct', 'initializerRange', 'layerNormEps'] as const),
  ...(['imageSize', 'patchSize', 'numChannels', 'problemType'] as const),
)

/** transformers' names of activations, where one function has several; any other is resolveConfig's to refuse. */
const activationNames: Readonly<Record<string, string>> = {
  gelu_python: 'gelu',
  gelu_pytorch_tanh: 'gelu_tanh',
  gelu_new: 'gelu_tanh',
  gelu_fast: 'gelu_tanh',
  gelu_tanh: 'unknown',
  swish: 'silu',
}

function toActivation(value: unknown): unknown {
  if (typeof value !== 'string') return undefined
  return Object.hasOwn(activationNames, value) ? activationNames[value] : value
}

/** An activation by its name in transformers. */
export const fromActivation = (activation: string): string =>
  activation === 'gelu_tanh' ? 'gelu_pytorch_tanh' : activation

function toSize(value: unknown): unknown {
  const sizes = Array.isArray(value) ? value : [value]
  return sizes.length <= 2 && sizes.every(length => Number.isFinite(length)) ? value : undefined
}

/** What Vitral's classifiers are in transformers, by the list in a file. */
export const hasArchitecture = ({ architectures }: Json, name: string): boolean =>
  Array.isArray(architectures) && architectures.includes(name)
