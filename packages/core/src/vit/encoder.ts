/** The stack of layers. */
import { type Tensor3D, type Tensor4D, tidy } from '@tensorflow/tfjs-core'
import { encoder } from '../ops/index.ts'
import type { ViTConfig } from './config.ts'
import type { ForwardContext } from './forward-context.ts'
import { ViTLayer } from './layer.ts'
import type { ParameterScope } from './parameters.ts'
import { attentionScale } from './self-attention.ts'

export interface EncoderResult {
  lastHiddenState: Tensor3D
  /** Embeddings first, then the output of each layer; when the context asks for it. */
  hiddenStates?: Tensor3D[]
  /** Of each layer, [B, H, N, N]; when the context asks for it. */
  attentions?: Tensor4D[]
}

export class ViTEncoder {
  readonly #config: ViTConfig
  readonly #layers: ViTLayer[]

  constructor(config: ViTConfig, parameters: ParameterScope) {
    const { numHiddenLayers, dropPathRate } = config
    const lastLayer = Math.max(1, numHiddenLayers - 1)
    this.#config = config
    this.#layers = Array.from(
      { length: numHiddenLayers },
      (_, i) => new ViTLayer(config, parameters.scope(`layer.${i}`), (dropPathRate * i) / lastLayer),
    )
  }

  /**
   * [B, N, C] → [B, N, C], or [B, 1, C] where the context wants the class token alone. Takes `embeddings` over: freed once
   * used, unless it was asked for as a hidden state.
   */
  forward(embeddings: Tensor3D, context: ForwardContext): EncoderResult {
    const fused = this.#fused(embeddings, context)
    if (fused) {
      embeddings.dispose()
      return { lastHiddenState: fused }
    }
    const hiddenStates = [embeddings]
    const attentions: Tensor4D[] = []
    let lastHiddenState = embeddings
    for (const [i, layer] of this.#layers.entries()) {
      const isLast = i === this.#layers.length - 1
      const { hiddenState, probabilities } = layer.forward(lastHiddenState, () => context.ofLayer(i, isLast))
      if (probabilities) attentions.push(probabilities)
      if (context.outputHiddenStates) hiddenStates.push(hiddenState)
      else lastHiddenState.dispose()
      lastHiddenState = hiddenState
    }
    return {
      lastHiddenState,
      ...(context.outputHiddenStates && { hiddenStates }),
      ...(context.outputAttentions && { attentions }),
    }
  }

  /** All layers as one kernel, where there is one and nothing is wanted of what is between them. */
  #fused(embeddings: Tensor3D, context: ForwardContext): Tensor3D | undefined {
    const { training, outputAttentions, outputHiddenStates, classTokenOnly } = context
    if (training || outputAttentions || outputHiddenStates || this.#layers.length === 0) return undefined
    const { numAttentionHeads: numHeads, layerNormEps: eps } = this.#config
    const attributes = { numHeads, classTokenOnly, scale: attentionScale(this.#config), eps }
    const layers = this.#layers.map(layer => () => layer.tensors())
    return tidy(() => encoder(embeddings, layers, attributes))
  }
}
