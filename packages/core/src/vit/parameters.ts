/** The parameters of a ViT: Hugging Face's names and shapes, in the order of the forward pass. */
import {
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  type Tensor4D,
  tensor,
  type Variable,
  variable,
} from '@tensorflow/tfjs-core'
import { pair, patchGrid, type ViTConfig } from './config.ts'
import { type Adapters, adaptedWeight } from './lora.ts'

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

/** Makes the variables from their values. */
export function createParameters(shapes: ParameterShapes, values: ReadonlyMap<string, Float32Array>): Parameters {
  const parameters: Parameters = new Map()
  for (const [name, shape] of shapes) {
    const initial = tensor(values.get(name) as Float32Array, shape, 'float32')
    parameters.set(name, variable(initial))
    initial.dispose()
  }
  return parameters
}

/** A part of the parameters under a common prefix, typed by the rank the layer expects. */
export class ParameterScope {
  readonly #parameters: Parameters
  readonly #adapters: Adapters
  readonly #prefix: string
  /** Whole names by short ones: of a small model joining them takes as long as its kernels. */
  readonly #names = new Map<string, string>()

  constructor(parameters: Parameters, adapters: Adapters, prefix: string) {
    this.#parameters = parameters
    this.#adapters = adapters
    this.#prefix = prefix
  }

  scope(name: string): ParameterScope {
    return new ParameterScope(this.#parameters, this.#adapters, `${this.#prefix}${name}.`)
  }

  /** Every variable below the prefix. */
  all(): Variable[] {
    return [...this.#parameters].filter(([name]) => name.startsWith(this.#prefix)).map(([, parameter]) => parameter)
  }

  has(name: string): boolean {
    return this.#parameters.has(this.#nameOf(name))
  }

  vector(name: string): Tensor1D {
    return this.#get(name) as unknown as Tensor1D
  }

  /** With its adapter, if it has one: then a new tensor, made within the caller's tidy. */
  matrix(name: string): Tensor2D {
    const weight = this.#get(name) as unknown as Tensor2D
    const adapter = this.#adapters.size > 0 ? this.#adapters.get(this.#nameOf(name)) : undefined
    return adapter ? adaptedWeight(weight, adapter) : weight
  }

  tokens(name: string): Tensor3D {
    return this.#get(name) as unknown as Tensor3D
  }

  filters(name: string): Tensor4D {
    return this.#get(name) as unknown as Tensor4D
  }

  #get(name: string): Variable {
    const whole = this.#nameOf(name)
    const found = this.#parameters.get(whole)
    if (!found) throw new Error(`The model has no parameter '${whole}'.`)
    return found
  }

  #nameOf(name: string): string {
    const known = this.#names.get(name)
    if (known !== undefined) return known
    const whole = this.#prefix + name
    this.#names.set(name, whole)
    return whole
  }
}
