/** Pixels to tokens: patches, mask token, class token, positions. */
import { cast, reshape, type Tensor2D, type Tensor3D, type Tensor4D } from '@tensorflow/tfjs-core'
import { dropout, embedTokens, interpolatePositions, maskTokens, patchEmbed, selectToken } from '../ops/index.ts'
import { pair, patchGrid, type ViTConfig } from './config.ts'
import { embeddingDropout } from './drops.ts'
import type { ForwardPass } from './forward-pass.ts'
import type { ParameterScope } from './parameter-scope.ts'

/** Index of the class token among the tokens. */
export const CLASS_TOKEN = 0

/** The class token by itself: [B, N, C] → [B, 1, C] */
export function classToken(x: Tensor3D): Tensor3D {
  return reshape(selectToken(x, CLASS_TOKEN), [x.shape[0], 1, x.shape[2]])
}

export interface EmbeddingOptions {
  /** [B, N]: 1 (or true) where the patch is replaced by the mask token. HF's `bool_masked_pos`. */
  boolMaskedPos?: Tensor2D
  /** Accept another image size than the model's, by interpolating the positions. @default false */
  interpolatePosEncoding?: boolean
}

export class ViTEmbeddings {
  readonly #config: ViTConfig
  readonly #parameters: ParameterScope

  constructor(config: ViTConfig, parameters: ParameterScope) {
    this.#config = config
    this.#parameters = parameters
  }

  /** [B, c, h, w] → [B, 1 + N, C] */
  forward(pixelValues: Tensor4D, { training, seed }: ForwardPass, options: EmbeddingOptions = {}): Tensor3D {
    const parameters = this.#parameters
    this.#checkPixels(pixelValues, options)
    const projection = parameters.scope('patch_embeddings.projection')
    let patches = patchEmbed(pixelValues, projection.filters('weight'), projection.vector('bias')) // [B, N, C]
    if (options.boolMaskedPos) patches = this.#mask(patches, options.boolMaskedPos)
    const positions = this.#positions(pixelValues)
    const tokens = embedTokens(patches, parameters.tokens('cls_token'), positions) // [B, 1 + N, C]
    return training && this.#config.hiddenDropoutProb > 0
      ? dropout(tokens, embeddingDropout(this.#config, seed))
      : tokens
  }

  #mask(patches: Tensor3D, boolMaskedPos: Tensor2D): Tensor3D {
    if (!this.#parameters.has('mask_token'))
      throw new Error(
        'boolMaskedPos was given, but the model has no mask token; create it with { useMaskToken: true }.',
      )
    return maskTokens(patches, this.#parameters.tokens('mask_token'), cast(boolMaskedPos, 'float32'))
  }

  #positions(pixelValues: Tensor4D): Tensor3D {
    const positions = this.#parameters.tokens('position_embeddings')
    const { imageSize, patchSize } = this.#config
    const own = patchGrid(imageSize, patchSize)
    const wanted = patchGrid([pixelValues.shape[2], pixelValues.shape[3]], patchSize)
    return own[0] === wanted[0] && own[1] === wanted[1] ? positions : interpolatePositions(positions, own, wanted)
  }

  #checkPixels(pixelValues: Tensor4D, { interpolatePosEncoding = false }: EmbeddingOptions): void {
    if (pixelValues.rank !== 4)
      throw new Error(`pixelValues have shape [${pixelValues.shape}]; expected [batch, channels, height, width].`)
    const [, channels, height, width] = pixelValues.shape
    const { numChannels, imageSize } = this.#config
    if (channels !== numChannels)
      throw new Error(
        `pixelValues have ${channels} channels, but the model has numChannels ${numChannels}; images are [batch, channels, height, width].`,
      )
    const [modelHeight, modelWidth] = pair(imageSize)
    if (!interpolatePosEncoding && (height !== modelHeight || width !== modelWidth))
      throw new Error(
        `pixelValues are ${height}×${width}, but the model was made for ${modelHeight}×${modelWidth}; resize them, or pass { interpolatePosEncoding: true }.`,
      )
  }
}
