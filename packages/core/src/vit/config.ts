/** The configuration of a ViT: its fields with Hugging Face's defaults, and the rules that make one valid. */
import { isInteger } from '../check.ts'
import { describeValue } from '../files/fields.ts'
import { type Activation, activations } from '../ops/activations.ts'
import { listChoices } from '../text.ts'
import { architectureDefaults, type ViTArchitecture, validateArchitecture } from './architecture.ts'
import { type ModelType, modelDefaults, modelTypes } from './families/model-types.ts'
import { checkMemory } from './memory-need.ts'

/** One number for both, or height and width. */
export type Size = number | readonly [height: number, width: number]

/** Fields as in Hugging Face's ViTConfig, in camel case, and the switches that the family of ViTs differs in. */
export interface ViTConfig extends ViTArchitecture {
  /** The family's member: gives other defaults to the fields below, and names to the files. @default 'vit' */
  modelType: ModelType
  /** Width of the hidden states. @default 768 */
  hiddenSize: number
  /** Layers of the encoder. @default 12 */
  numHiddenLayers: number
  /** Heads of the attention; they divide hiddenSize. @default 12 */
  numAttentionHeads: number
  /** Width of the MLP. @default 3072 */
  intermediateSize: number
  /** Activation of the MLP: 'gelu' is exact, by erf. @default 'gelu' */
  hiddenAct: Activation
  /** Dropout of the embeddings and of the output of attention and MLP. @default 0 */
  hiddenDropoutProb: number
  /** Dropout of the attention's probabilities. @default 0 */
  attentionProbsDropoutProb: number
  /** Drop path of the last layer; it grows linearly from 0 in the first. Vitral's own field. @default 0 */
  dropPathRate: number
  /** Standard deviation of the initial weights. @default 0.02 */
  initializerRange: number
  /** Term that keeps the layer norms' denominators from 0. @default 1e-12 */
  layerNormEps: number
  /** Pixels beyond the last whole patch are left out, as a convolution leaves them out. @default 224 */
  imageSize: Size
  /** Pixels of a patch. @default 16 */
  patchSize: Size
  /** Channels of the images. @default 3 */
  numChannels: number
  /** Whether query, key and value have biases. @default true */
  qkvBias: boolean
  /**
   * Factor of the attention scores; null is (hiddenSize / numAttentionHeads) ** -0.5. Hugging Face's ViT has no such
   * field: saving folds another factor into the query's weights. @default null
   */
  qkScale: number | null
  /** Activation of a ViTModel's pooler: 'tanh', 'gelu' or 'relu'; models without one never look at it. @default 'tanh' */
  poolerAct: string
  /** Width of a ViTModel's pooler; null is hiddenSize. @default null */
  poolerOutputSize: number | null
  /** 0 leaves the classifier out: the logits are then the class token's features. @default 2 */
  numLabels: number
  /** Names of the classes by index. @default LABEL_0, LABEL_1, … */
  id2label: Record<number, string>
  /** Whether classes exclude each other; null, the default, leaves it open, and then they do. */
  problemType: ProblemType | null
  /** Fields of a config.json that Vitral does not know; they survive a round trip. */
  extra: Record<string, unknown>
}

/** What scores mean: shares of one class (softmax), or each class a yes or no of its own (sigmoid). */
export type ProblemType = 'single_label_classification' | 'multi_label_classification' | 'regression'

/** Any of the fields, and the MLP's width as a multiple of hiddenSize instead of intermediateSize. */
export type ViTConfigOptions = Partial<ViTConfig> & { mlpRatio?: number }

/** [height, width] of a size. */
export const pair = (size: Size): readonly [number, number] => (typeof size === 'number' ? [size, size] : size)

/** Rows and columns of whole patches in an image. */
export function patchGrid(imageSize: Size, patchSize: Size): readonly [rows: number, columns: number] {
  const [[height, width], [patchHeight, patchWidth]] = [pair(imageSize), pair(patchSize)]
  return [Math.floor(height / patchHeight), Math.floor(width / patchWidth)]
}

/** Factor of the attention scores: 1 / √d of a head's size d, unless the configuration has another. */
export function attentionScale(config: Pick<ViTConfig, 'qkScale' | 'hiddenSize' | 'numAttentionHeads'>): number {
  return config.qkScale ?? (config.hiddenSize / config.numAttentionHeads) ** -0.5
}

/** Largest number of labels: more than any data set has; each has a name in memory. */
const MOST_LABELS = 2 ** 20

/** Largest size of a layer or image: no model is larger, and no shape of a tensor holds more. */
const MOST = 2 ** 31 - 1

const isCount = (value: unknown, least = 1, most = MOST): boolean => isInteger(value, least, most)

/** Whether float32, which every kernel computes in, holds the number. */
const isFloat = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(Math.fround(value))

/**
 * Fills in Hugging Face's defaults.
 *
 * @param source what errors call the configuration
 * @throws naming the field, what it is and what it can be.
 * @example
 * resolveConfig({ hiddenSize: 192, numAttentionHeads: 3, mlpRatio: 4 }).intermediateSize // 768
 */
export function resolveConfig(
  { mlpRatio, ...options }: ViTConfigOptions = {},
  source: string = 'ViT configuration',
): ViTConfig {
  const { modelType = 'vit', id2label } = options
  if (!modelTypes.includes(modelType))
    throw new Error(`${source}: modelType is ${describeValue(modelType)}; expected one of ${modelTypes.join(', ')}.`)
  const ofType = modelDefaults[modelType]
  const hiddenSize = options.hiddenSize ?? ofType.hiddenSize ?? 768
  const numLabels = options.numLabels ?? (id2label ? Object.keys(id2label).length : 2)
  if (!isCount(numLabels, 0, MOST_LABELS))
    throw new Error(
      `${source}: numLabels is ${describeValue(numLabels)}; expected a whole number, 0 or more and at most ${MOST_LABELS}.`,
    )
  const config: ViTConfig = {
    hiddenSize,
    numHiddenLayers: 12,
    numAttentionHeads: 12,
    intermediateSize: 3072,
    hiddenAct: 'gelu',
    hiddenDropoutProb: 0,
    attentionProbsDropoutProb: 0,
    dropPathRate: 0,
    initializerRange: 0.02,
    layerNormEps: 1e-12,
    imageSize: 224,
    patchSize: 16,
    numChannels: 3,
    qkvBias: true,
    qkScale: null,
    poolerAct: 'tanh',
    poolerOutputSize: null,
    problemType: null,
    modelType,
    ...architectureDefaults,
    extra: {},
    ...ofType,
    ...(mlpRatio !== undefined && { intermediateSize: Math.round(hiddenSize * mlpRatio) }),
    ...options,
    numLabels,
    id2label: id2label ?? Object.fromEntries(Array.from({ length: numLabels }, (_, i) => [i, `LABEL_${i}`])),
  }
  validate(config, source)
  return config
}

const problemTypes: readonly (ProblemType | null)[] = [
  null,
  'single_label_classification',
  'multi_label_classification',
  'regression',
]

function validate(config: ViTConfig, source: string): void {
  const require = (holds: boolean, field: keyof ViTConfig, expected: string): void => {
    if (!holds) throw new Error(`${source}: ${field} is ${describeValue(config[field])}; expected ${expected}.`)
  }
  for (const field of ['hiddenSize', 'numAttentionHeads', 'intermediateSize', 'numChannels'] as const)
    require(isCount(config[field]), field, `a positive whole number, at most ${MOST}`)
  require(isCount(config.numHiddenLayers, 0), 'numHiddenLayers', `a whole number, 0 or more and at most ${MOST}`)
  for (const field of ['hiddenDropoutProb', 'attentionProbsDropoutProb', 'dropPathRate'] as const)
    require(config[field] >= 0 && config[field] < 1, field, 'a probability from 0 up to, but not including, 1')
  for (const field of ['imageSize', 'patchSize'] as const) {
    const sizes = pair(config[field])
    require(sizes.length === 2 &&
      sizes.every(size =>
        isCount(size),
      ), field, `a positive whole number of pixels, at most ${MOST}, or [height, width]`)
  }
  require(isFloat(config.initializerRange) && config.initializerRange > 0, 'initializerRange', 'a positive number')
  require(isFloat(config.layerNormEps) && config.layerNormEps >= 0, 'layerNormEps', 'a number that is not negative')
  const { qkScale, poolerOutputSize } = config
  require(qkScale === null || (isFloat(qkScale) && qkScale !== 0), 'qkScale', 'a number other than 0, or null')
  require(poolerOutputSize === null ||
    isCount(poolerOutputSize), 'poolerOutputSize', `a positive whole number, at most ${MOST}, or null`)
  require(problemTypes.includes(
    config.problemType,
  ), 'problemType', "'single_label_classification', 'multi_label_classification', 'regression' or null")
  require(activations.includes(config.hiddenAct), 'hiddenAct', listChoices(activations))
  const { hiddenSize, numAttentionHeads, imageSize, patchSize, id2label, numLabels } = config
  require(hiddenSize % numAttentionHeads === 0, 'hiddenSize', `a multiple of numAttentionHeads (${numAttentionHeads})`)
  const [rows, columns] = patchGrid(imageSize, patchSize)
  require(rows > 0 && columns > 0, 'imageSize', `at least one patch (patchSize is ${describeValue(patchSize)})`)
  checkMemory(config, [rows, columns], pair(patchSize), source)
  validateArchitecture(config, require)
  const labels = Object.keys(id2label).length
  require(labels === numLabels, 'numLabels', `${labels}, the number of names in id2label`)
}
