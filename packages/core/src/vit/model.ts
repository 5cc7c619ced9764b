/** The bare model: features of images, with every member of the family. */
import type { Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core'
import { linear, selectToken } from '../ops/index.ts'
import type { ViTConfigOptions } from './config.ts'
import { CLASS_TOKEN, type EmbeddingOptions } from './embeddings.ts'
import { familyOf } from './families/index.ts'
import { type ForwardPassOptions, forwardPass } from './forward-pass.ts'
import { poolerActivation } from './pooler.ts'
import { type FromPretrainedOptions, loadPretrained } from './pretrained/load-pretrained.ts'
import { PretrainedModel, type ViTOptions } from './pretrained-model.ts'
import { tidied } from './tidied.ts'

/** Options of a forward pass. */
export interface ForwardOptions extends EmbeddingOptions, ForwardPassOptions {}

/** What a ViTModel computes. */
export interface ViTOutput {
  /** [B, P + N, C]; of a ViT after the final norm, index 0 the class token. */
  lastHiddenState: Tensor3D
  /**
   * [B, poolerOutputSize]: a linear layer on the class token and `poolerAct`, when the model has a pooler. Of a model type
   * that pools without one (DINOv2 and 3, CLIP, SigLIP, BEiT) the pooled features [B, C].
   */
  poolerOutput?: Tensor2D
  /** [B, projectionDim]: the pooled features' projection into the space of CLIP's texts, when the model has one. */
  imageEmbeds?: Tensor2D
  /** Embeddings first, then each layer's output [B, 1 + N, C], before the final norm. */
  hiddenStates?: Tensor3D[]
  /** Attention probabilities of each layer, [B, H, 1 + N, 1 + N]. */
  attentions?: Tensor4D[]
}

/** Options of a new ViTModel. */
export interface ViTModelOptions extends ViTOptions {
  /** Whether the model has HF's pooler. @default false */
  addPoolingLayer?: boolean
  /** Whether the model has CLIP's projection, of width projectionDim. @default false */
  addProjection?: boolean
}

/**
 * The bare Vision Transformer: features of images. HF's and the article's ViTModel.
 *
 * @example
 * const model = await ViTModel.fromPretrained('google/vit-base-patch16-224-in21k')
 * model.forward(pixelValues).lastHiddenState // [1, 197, 768]
 */
export class ViTModel extends PretrainedModel {
  /** Its name in config.json. */
  protected get architecture(): string {
    const { model, modelWithProjection = model } = familyOf(this.config).architectures
    return this.#hasProjection ? modelWithProjection : model
  }
  readonly #hasPooler: boolean
  readonly #hasProjection: boolean

  /** A model with new parameters. */
  constructor(config: ViTConfigOptions = {}, options: ViTModelOptions = {}) {
    const pooler = options.addPoolingLayer ?? false
    const projection = options.addProjection ?? false
    if (pooler) poolerActivation(config.poolerAct)
    super(config, { prefix: '', classifier: false, pooler, projection }, options)
    this.#hasPooler = pooler
    this.#hasProjection = projection && this.config.projectionDim !== null
  }

  /** Loads a model folder, an address or a hub id; see ViTForImageClassification.fromPretrained. A head in the folder is left out. */
  static async fromPretrained(source: string | URL, options: FromPretrainedOptions = {}): Promise<ViTModel> {
    const { config, values, has } = await loadPretrained(source, { prefix: '', classifier: false }, options)
    return new ViTModel(config, { ...options, ...has, values })
  }

  /**
   * The hidden states of images. pixelValues [B, c, h, w] → lastHiddenState [B, N, C].
   *
   * @param pixelValues [B, c, h, w] float32, as made by ViTImageProcessor
   * @returns tensors that are the caller's to dispose
   * @throws when channels or size do not fit the configuration
   */
  forward(pixelValues: Tensor4D, options: ForwardOptions = {}): ViTOutput {
    const pass = forwardPass(options)
    return tidied(() => {
      const tokens = this.embeddings.forward(pixelValues, pass, options) // patches, class token, positions: [B, 1 + N, C]
      const grid = this.embeddings.gridOf(pixelValues)
      const { lastHiddenState: encoded, ...rest } = this.encoder.forward(tokens, pass, grid) // the transformer encoder
      const output: ViTOutput = { ...rest, lastHiddenState: this.pooling.lastHiddenState(encoded) }
      const pools = familyOf(this.config).poolsByItself
      if (this.#hasPooler)
        output.poolerOutput = this.#densePool(output.lastHiddenState) // [B, poolerOutputSize]
      else if (pools) output.poolerOutput = this.pooling.pooled(output.lastHiddenState) // [B, C]
      if (this.#hasProjection) output.imageEmbeds = this.#project(output.poolerOutput as Tensor2D)
      return output
    })
  }

  #project(pooled: Tensor2D): Tensor2D {
    return linear(pooled, this.root.scope('visual_projection').matrix('weight')) // [B, projectionDim]
  }

  #densePool(lastHiddenState: Tensor3D): Tensor2D {
    const dense = this.root.scope('pooler.dense')
    const pooled = linear(selectToken(lastHiddenState, CLASS_TOKEN), dense.matrix('weight'), dense.vector('bias'))
    return poolerActivation(this.config.poolerAct)(pooled)
  }
}
