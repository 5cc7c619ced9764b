/** Pixels to tokens: patches, mask token, positions, and the tokens before the patches. */
import {
  add,
  cast,
  reshape,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  type Tensor4D,
  zeros,
} from '@tensorflow/tfjs-core'
import {
  dropout,
  embedTokens,
  type Grid,
  insertTokens,
  interpolatePositions,
  maskTokens,
  patchEmbed,
  selectToken,
} from '../ops/index.ts'
import { numPositionedPrefix } from './architecture.ts'
import { pair, patchGrid, type ViTConfig } from './config.ts'
import { embeddingDropout } from './drops.ts'
import type { ForwardPass } from './forward-pass.ts'
import { ViTNorm } from './norm.ts'
import type { ParameterScope } from './parameter-scope.ts'

/** Index of the class token among the tokens. */
export const CLASS_TOKEN = 0

/** Index of the distillation token among the tokens. */
export const DISTILLATION_TOKEN = 1

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
  readonly #norm: ViTNorm | undefined

  constructor(config: ViTConfig, parameters: ParameterScope) {
    this.#config = config
    this.#parameters = parameters
    this.#norm = config.normBeforeEncoder ? new ViTNorm(parameters.scope('layernorm'), config.layerNormEps) : undefined
  }

  /** Rows and columns of the images' patches. */
  gridOf(pixelValues: Tensor4D): Grid {
    return patchGrid([pixelValues.shape[2], pixelValues.shape[3]], this.#config.patchSize)
  }

  /** [B, c, h, w] → [B, P + N, C], where P tokens come before the patches */
  forward(pixelValues: Tensor4D, { training, seed }: ForwardPass, options: EmbeddingOptions = {}): Tensor3D {
    const parameters = this.#parameters
    this.#checkPixels(pixelValues, options)
    const projection = parameters.scope('patch_embeddings.projection')
    let patches = patchEmbed(pixelValues, projection.filters('weight'), this.#patchBias(projection)) // [B, N, C]
    if (options.boolMaskedPos) patches = this.#mask(patches, options.boolMaskedPos)
    const embedded = this.#embed(patches, this.gridOf(pixelValues)) // [B, P + N, C]
    const tokens =
      training && this.#config.hiddenDropoutProb > 0
        ? dropout(embedded, embeddingDropout(this.#config, seed))
        : embedded
    return this.#norm ? this.#norm.forward(tokens) : tokens
  }

  #patchBias(projection: ParameterScope): Tensor1D {
    return this.#config.patchBias ? projection.vector('bias') : zeros([this.#config.hiddenSize])
  }

  /** Adds positions, and puts class, distillation and register tokens before the patches. */
  #embed(patches: Tensor3D, grid: Grid): Tensor3D {
    const { classToken, distillationToken, numRegisterTokens, positionedTokens } = this.#config
    const positions = positionedTokens === 'none' ? undefined : this.#positions(grid)
    const positionedPrefix = numPositionedPrefix(this.#config)
    const insert = (tokens: Tensor3D, name: string, at = 0) => insertTokens(tokens, this.#parameters.tokens(name), at)
    if (positions && positionedPrefix > 0) {
      const positioned = distillationToken
        ? add<Tensor3D>(insert(insert(patches, 'distillation_token'), 'cls_token'), positions)
        : embedTokens(patches, this.#parameters.tokens('cls_token'), positions)
      return numRegisterTokens > 0 ? insert(positioned, 'register_tokens', positionedPrefix) : positioned
    }
    let tokens = positions ? add<Tensor3D>(patches, positions) : patches
    if (numRegisterTokens > 0) tokens = insert(tokens, 'register_tokens')
    if (distillationToken) tokens = insert(tokens, 'distillation_token')
    return classToken ? insert(tokens, 'cls_token') : tokens
  }

  #mask(patches: Tensor3D, boolMaskedPos: Tensor2D): Tensor3D {
    if (!this.#parameters.has('mask_token'))
      throw new Error(
        'boolMaskedPos was given, but the model has no mask token; create it with { useMaskToken: true }.',
      )
    return maskTokens(patches, this.#parameters.tokens('mask_token'), cast(boolMaskedPos, 'float32'))
  }

  #positions(wanted: Grid): Tensor3D {
    const positions = this.#parameters.tokens('position_embeddings')
    const { imageSize, patchSize, antialiasPositions: antialias } = this.#config
    const own = patchGrid(imageSize, patchSize)
    if (own[0] === wanted[0] && own[1] === wanted[1]) return positions
    return interpolatePositions(positions, own, wanted, { prefix: numPositionedPrefix(this.#config), antialias })
  }

  #checkPixels(pixelValues: Tensor4D, { interpolatePosEncoding = false }: EmbeddingOptions): void {
    if (pixelValues.rank !== 4)
      throw new Error(`pixelValues have shape [${pixelValues.shape}]; expected [batch, channels, height, width].`)
    const [, channels, height, width] = pixelValues.shape
    const { numChannels, imageSize, anyImageSize, relativePositionBias } = this.#config
    if (channels !== numChannels)
      throw new Error(
        `pixelValues have ${channels} channels, but the model has numChannels ${numChannels}; images are [batch, channels, height, width].`,
      )
    const [modelHeight, modelWidth] = pair(imageSize)
    const isOwn = height === modelHeight && width === modelWidth
    if (!isOwn && relativePositionBias !== 'none')
      throw new Error(
        `pixelValues are ${height}×${width}, but the model's relative positions are those of ${modelHeight}×${modelWidth}; resize the images.`,
      )
    if (!isOwn && !interpolatePosEncoding && !anyImageSize)
      throw new Error(
        `pixelValues are ${height}×${width}, but the model was made for ${modelHeight}×${modelWidth}; resize them, or pass { interpolatePosEncoding: true }.`,
      )
  }
}
