/** The classifier: logits and loss of images, with every member of the family. */
import {
  add,
  div,
  type Scalar,
  scalar,
  type Tensor,
  type Tensor2D,
  type Tensor3D,
  type Tensor4D,
} from '@tensorflow/tfjs-core'
import { linear, selectToken } from '../ops/index.ts'
import { valueAndGrads } from '../tape/value-and-grads.ts'
import { readsClassToken } from './architecture.ts'
import type { ViTConfigOptions } from './config.ts'
import { DISTILLATION_TOKEN } from './embeddings.ts'
import { classifierArchitecture } from './families/index.ts'
import { forwardPass } from './forward-pass.ts'
import { type Labels, type Loss, lossOf } from './loss.ts'
import type { ForwardOptions } from './model.ts'
import { isFinalNorm } from './parameters/trainable.ts'
import { type FromPretrainedOptions, loadPretrained } from './pretrained/load-pretrained.ts'
import { PretrainedModel, type ViTOptions } from './pretrained-model.ts'
import { tidied } from './tidied.ts'

/** Options of a classifier's forward pass. */
export interface ClassifierForwardOptions extends ForwardOptions {
  /** With labels the result has the loss. */
  labels?: Labels
  /** Loss function. @default by the configuration's `problemType`, as in transformers; see `problemTypeOf` */
  loss?: Loss
  /** Whether the output has the features that the classifier works on. @default false */
  outputFeatures?: boolean
}

/** What a classifier computes. */
export interface ClassifierOutput {
  /** [B, numLabels]; with `numLabels: 0` the pooled features [B, C], those of the class token unless the model pools otherwise. */
  logits: Tensor2D
  /** Mean over the batch. */
  loss?: Scalar
  /** [B, C], or [B, 2·C]: what the classifier reads, of a ViT the class token after the final norm. */
  features?: Tensor2D
  /** [B, N, C] before the first layer and after each, if they were asked for. */
  hiddenStates?: Tensor3D[]
  /** [B, H, N, N] of each layer, if they were asked for. */
  attentions?: Tensor4D[]
}

/** What a training step needs of a classifier; the caller disposes all of it. */
export interface LossAndGrads {
  /** Mean loss of the batch. */
  loss: Scalar
  /** [B, K] */
  logits: Tensor2D
  /** Gradients by HF name, one for every trainable parameter that the loss depends on: without `boolMaskedPos` not the mask token. */
  grads: Record<string, Tensor>
}

/** Options of a classifier's valueAndGrads. */
export interface ClassifierGradsOptions extends ClassifierForwardOptions {
  /** Multiplies the gradients from the loss on, not the loss: a loss scale, or a part's share of its batch. @default 1 */
  gradientScale?: number
  /** Called with each gradient once it is final, while the backward pass goes on; may start to send it. */
  onGradient?: (name: string, gradient: Tensor) => void
}

/**
 * A Vision Transformer with a linear classifier on the class token. HF's and the article's ViTForImageClassification.
 *
 * @example
 * const model = await ViTForImageClassification.fromPretrained('google/vit-base-patch16-224')
 * const { logits } = model.forward(await processor.preprocess(image)) // [1, 1000]
 */
export class ViTForImageClassification extends PretrainedModel {
  /** Its name in config.json. */
  protected get architecture(): string {
    return classifierArchitecture(this.config)
  }

  /** A model with new parameters. */
  constructor(config: ViTConfigOptions = {}, options: ViTOptions = {}) {
    super(config, { prefix: 'vit.', classifier: true, pooler: false, projection: false }, options)
  }

  /**
   * Loads `config.json` and `model.safetensors` (sharded too; F32, F16, BF16) from a folder, a server or the hub. Tensors
   * are read one after the other: beside the model itself there is no more in memory than the largest of them.
   *
   * @param source a path, an address ('https://…'; in pages also '/models/vit' and './vit'), or a hub id such as
   *   'google/vit-base-patch16-224'. In browsers a path is one of the site's own files (OPFS)
   * @param options configuration fields override the folder's: `{ numLabels: 10, ignoreMismatchedSizes: true }`
   *   replaces the classifier by a newly initialized one, whose tensors `onNewlyInitialized` is called with; `{ imageSize: 384 }` or
   *   `{ imageSize: [256, 384] }` makes it a model of that size, its positions interpolated (bicubic, as HF's
   *   `interpolate_pos_encoding`), which is saved as such
   * @throws naming every tensor that is unknown, missing or of the wrong shape; the reason of `signal`, at once
   */
  static async fromPretrained(
    source: string | URL,
    options: FromPretrainedOptions = {},
  ): Promise<ViTForImageClassification> {
    const { config, values, has } = await loadPretrained(source, { prefix: 'vit.', classifier: true }, options)
    return new ViTForImageClassification(config, { ...options, ...has, values })
  }

  /**
   * The logits of images. pixelValues [B, c, h, w] → logits [B, K].
   *
   * @param pixelValues [B, c, h, w] float32, as made by ViTImageProcessor
   * @returns tensors that are the caller's to dispose
   * @throws when channels, size or labels do not fit the configuration
   */
  forward(pixelValues: Tensor4D, options: ClassifierForwardOptions = {}): ClassifierOutput {
    const { labels, loss } = options
    const pass = forwardPass(options, readsClassToken(this.config))
    return tidied(() => {
      const tokens = this.embeddings.forward(pixelValues, pass, options) // patches, class token, positions: [B, 1 + N, C]
      const grid = this.embeddings.gridOf(pixelValues)
      const { lastHiddenState: encoded, ...rest } = this.encoder.forward(tokens, pass, grid) // the transformer encoder
      const lastHiddenState = this.pooling.lastHiddenState(encoded)
      const features = this.pooling.headInput(lastHiddenState) // [B, C]
      const logits = this.#classify(features, lastHiddenState) // the head: [B, numLabels]
      const output: ClassifierOutput = { ...rest, logits }
      if (options.outputFeatures) output.features = features
      if (labels) output.loss = lossOf(this.config, { logits: output.logits, pixelValues }, labels, loss)
      return output
    })
  }

  /**
   * The loss and its gradients: one training step's work. Dropout and drop path act, unless `training: false`.
   *
   * @param pixelValues [B, c, h, w]
   * @param labels one for each image
   * @returns tensors that are the caller's to dispose
   */
  valueAndGrads(
    pixelValues: Tensor4D,
    labels: Labels,
    { gradientScale = 1, onGradient, ...options }: ClassifierGradsOptions = {},
  ): LossAndGrads {
    const isUsed = (name: string): boolean =>
      name.endsWith('mask_token') ? options.boolMaskedPos !== undefined : this.#readsFinalNorm || !isFinalNorm(name)
    const parameters = [...this.trainableParameters()].filter(([name]) => isUsed(name))
    if (parameters.length === 0) throw new Error('No parameter of the model trains; see setTrainable.')
    const names = onGradient && new Map(parameters.map(([name, { id }]) => [id, name]))
    const dy = scalar(gradientScale)
    const { value, aux, grads } = valueAndGrads<{ logits: Tensor2D }>(
      () => {
        const { loss, logits } = this.forward(pixelValues, { training: true, ...options, labels })
        return { value: loss as Scalar, aux: { logits } }
      },
      parameters.map(([, parameter]) => parameter),
      {
        dy,
        onGradient: onGradient && ((x, gradient) => onGradient(names?.get(x.id) as string, gradient)),
        names: parameters.map(([name]) => name),
      },
    )
    dy.dispose()
    return {
      loss: value,
      logits: aux.logits,
      grads: Object.fromEntries(parameters.map(([name], i) => [name, grads[i] as Tensor])),
    }
  }

  /** Whether the logits depend on the final norm: not those of the mean of tokens that it is not applied to. */
  get #readsFinalNorm(): boolean {
    const { finalNorm, headInput } = this.config
    return finalNorm === 'tokens' || headInput === 'pooled'
  }

  #classify(features: Tensor2D, lastHiddenState: Tensor3D): Tensor2D {
    const { numLabels, headInput } = this.config
    if (numLabels === 0) return features
    const logits = this.#head('classifier', features)
    if (headInput !== 'class-and-distillation') return logits
    const distilled = this.#head('distillation_classifier', selectToken(lastHiddenState, DISTILLATION_TOKEN))
    return div(add(logits, distilled), 2)
  }

  #head(name: string, features: Tensor2D): Tensor2D {
    const head = this.root.scope(name)
    return linear(features, head.matrix('weight'), head.vector('bias'))
  }
}
