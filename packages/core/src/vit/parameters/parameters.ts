/** The parameters of a ViT: Hugging Face's names and shapes, in the order of the forward pass. */
import { type Rank, type Tensor, tensor, type Variable, variable } from '@tensorflow/tfjs-core'
import { elementsOf } from '../../sizes.ts'
import { pair, patchGrid, type ViTConfig } from '../config.ts'

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
}

/** HF names and shapes of a model's parameters; [out, in] for linear layers, [C, c, P, P'] for the patch projection. */
export function parameterShapes(config: ViTConfig, parts: ModelParts): ParameterShapes {
  const { hiddenSize: C, intermediateSize, numChannels, numLabels } = config
  const [rows, columns] = patchGrid(config.imageSize, config.patchSize)
  const [patchHeight, patchWidth] = pair(config.patchSize)
  const shapes: ParameterShapes = new Map()
  const add = (name: string, ...shape: number[]) => shapes.set(parts.prefix + name, shape)
  const addLinear = (name: string, out: number, input: number, bias = true) => {
    add(`${name}.weight`, out, input)
    if (bias) add(`${name}.bias`, out)
  }
  const addNorm = (name: string) => {
    add(`${name}.weight`, C)
    add(`${name}.bias`, C)
  }
  add('embeddings.cls_token', 1, 1, C)
  if (parts.maskToken) add('embeddings.mask_token', 1, 1, C)
  add('embeddings.position_embeddings', 1, 1 + rows * columns, C)
  add('embeddings.patch_embeddings.projection.weight', C, numChannels, patchHeight, patchWidth)
  add('embeddings.patch_embeddings.projection.bias', C)
  for (let i = 0; i < config.numHiddenLayers; i++) {
    const layer = `encoder.layer.${i}`
    addNorm(`${layer}.layernorm_before`)
    for (const part of ['query', 'key', 'value'])
      addLinear(`${layer}.attention.attention.${part}`, C, C, config.qkvBias)
    addLinear(`${layer}.attention.output.dense`, C, C)
    addNorm(`${layer}.layernorm_after`)
    addLinear(`${layer}.intermediate.dense`, intermediateSize, C)
    addLinear(`${layer}.output.dense`, C, intermediateSize)
  }
  addNorm('layernorm')
  if (parts.pooler) addLinear('pooler.dense', config.poolerOutputSize ?? C, C)
  if (parts.classifier && numLabels > 0) {
    shapes.set('classifier.weight', [numLabels, C])
    shapes.set('classifier.bias', [numLabels])
  }
  return shapes
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
