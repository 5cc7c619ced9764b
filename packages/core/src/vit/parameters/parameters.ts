/** The parameters of a ViT: Hugging Face's names and shapes, in the order of the forward pass. */
import { type Rank, type Tensor, tensor, type Variable, variable } from '@tensorflow/tfjs-core'
import { elementsOf } from '../../sizes.ts'
import { featureSize, numPositionedPrefix } from '../architecture.ts'
import { pair, patchGrid, type ViTConfig } from '../config.ts'
import { numRelativePositions } from '../relative-positions.ts'

/** Variables by HF name. They are unnamed in tfjs, whose names are global: two models must fit in one program. */
export type Parameters = Map<string, Variable>

export type ParameterShapes = Map<string, number[]>

/** Which optional parts a model has. */
export interface ModelParts {
  /** Before every name of the backbone: `vit.` in a classifier, nothing in a bare ViTModel. */
  prefix: string
  classifier: boolean
  maskToken: boolean
  pooler: boolean
  /** CLIP's projection of the pooled features. */
  projection: boolean
}

/**
 * Names and shapes of a model's parameters; [out, in] for linear layers, [C, c, P, P'] for the patch projection. The names
 * are ViT's in transformers, also where another member of the family has others in its files.
 */
export function parameterShapes(config: ViTConfig, parts: ModelParts): ParameterShapes {
  const { hiddenSize: C, intermediateSize, numAttentionHeads, numLabels, projectionDim } = config
  const grid = patchGrid(config.imageSize, config.patchSize)
  const shapes: ParameterShapes = new Map()
  const add = (name: string, ...shape: number[]) => shapes.set(parts.prefix + name, shape)
  const addLinear = (name: string, out: number, input: number, bias = true) => {
    add(`${name}.weight`, out, input)
    if (bias) add(`${name}.bias`, out)
  }
  const addNorm = (name: string, size = C) => {
    add(`${name}.weight`, size)
    add(`${name}.bias`, size)
  }
  const positionBias = (name: string) =>
    add(`${name}.relative_position_bias_table`, numRelativePositions(grid), numAttentionHeads)

  addEmbeddings(config, grid, parts, add)
  if (config.normBeforeEncoder) addNorm('embeddings.layernorm')
  if (config.relativePositionBias === 'shared') positionBias('encoder.relative_position_bias')
  for (let i = 0; i < config.numHiddenLayers; i++) {
    const layer = `encoder.layer.${i}`
    addNorm(`${layer}.layernorm_before`)
    for (const part of ['query', 'key', 'value'])
      addLinear(`${layer}.attention.attention.${part}`, C, C, config.qkvBias && (part !== 'key' || config.keyBias))
    if (config.qkNorm)
      for (const part of ['query_norm', 'key_norm'])
        addNorm(`${layer}.attention.attention.${part}`, C / numAttentionHeads)
    if (config.relativePositionBias === 'layer') positionBias(`${layer}.attention.attention.relative_position_bias`)
    addLinear(`${layer}.attention.output.dense`, C, C)
    if (config.layerScaleInit !== null) add(`${layer}.layer_scale1.lambda1`, C)
    addNorm(`${layer}.layernorm_after`)
    if (config.gatedMlp) addLinear(`${layer}.intermediate.gate`, intermediateSize, C)
    addLinear(`${layer}.intermediate.dense`, intermediateSize, C)
    addLinear(`${layer}.output.dense`, C, intermediateSize)
    if (config.layerScaleInit !== null) add(`${layer}.layer_scale2.lambda1`, C)
  }
  addNorm('layernorm')
  const readsPooled = !parts.classifier || config.headInput === 'pooled' || numLabels === 0
  if (config.pooling === 'attention' && readsPooled) {
    add('head.probe', 1, 1, C)
    for (const part of ['query', 'key', 'value']) addLinear(`head.attention.${part}`, C, C)
    addLinear('head.attention.output', C, C)
    addNorm('head.layernorm')
    addLinear('head.mlp.up', intermediateSize, C)
    addLinear('head.mlp.down', C, intermediateSize)
  }
  if (parts.pooler) addLinear('pooler.dense', config.poolerOutputSize ?? C, C)
  if (parts.projection && projectionDim !== null) shapes.set('visual_projection.weight', [projectionDim, C])
  if (parts.classifier && numLabels > 0) {
    const heads =
      config.headInput === 'class-and-distillation' ? ['classifier', 'distillation_classifier'] : ['classifier']
    for (const head of heads) {
      shapes.set(`${head}.weight`, [numLabels, featureSize(config)])
      shapes.set(`${head}.bias`, [numLabels])
    }
  }
  return shapes
}

function addEmbeddings(
  config: ViTConfig,
  [rows, columns]: readonly [number, number],
  parts: ModelParts,
  add: (name: string, ...shape: number[]) => void,
): void {
  const { hiddenSize: C, numChannels, numRegisterTokens } = config
  if (config.classToken) add('embeddings.cls_token', 1, 1, C)
  if (config.distillationToken) add('embeddings.distillation_token', 1, 1, C)
  if (numRegisterTokens > 0) add('embeddings.register_tokens', 1, numRegisterTokens, C)
  if (parts.maskToken) add('embeddings.mask_token', 1, 1, C)
  if (config.positionedTokens !== 'none')
    add('embeddings.position_embeddings', 1, numPositionedPrefix(config) + rows * columns, C)
  add('embeddings.patch_embeddings.projection.weight', C, numChannels, ...pair(config.patchSize))
  if (config.patchBias) add('embeddings.patch_embeddings.projection.bias', C)
}

/**
 * Makes the variables.
 *
 * @param known values to start from, by name; variables are taken over as they are
 * @param initialValue of the others
 */
export function createParameters(
  shapes: ParameterShapes,
  known: ReadonlyMap<string, Float32Array | Variable>,
  initialValue: (name: string, size: number, index: number) => Float32Array,
): Parameters {
  const parameters: Parameters = new Map()
  let index = 0
  for (const [name, shape] of shapes) {
    const own = index++
    const value = known.get(name) ?? initialValue(name, elementsOf(shape), own)
    parameters.set(name, value instanceof Float32Array ? ownedVariable(tensor(value, shape, 'float32')) : value)
  }
  return parameters
}

/** A variable in the place of the tensor. */
export function ownedVariable(initial: Tensor): Variable {
  const made = variable(initial)
  initial.dispose()
  return made
}

/** A variable as the tensor it is, of the rank that its name has in `parameterShapes`. */
export function tensorOf<R extends Rank>(parameter: Variable): Tensor<R> {
  return parameter as Tensor as Tensor<R>
}
