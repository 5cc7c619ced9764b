/** From the tokens to what stands for an image: pooled features, and what a classifier reads. */
import { add, concat, reshape, type Tensor2D, type Tensor3D } from '@tensorflow/tfjs-core'
import { activate, attentionPool, linear, meanTokens, selectToken } from '../ops/index.ts'
import { numPrefixTokens } from './architecture.ts'
import type { ViTConfig } from './config.ts'
import { CLASS_TOKEN } from './embeddings.ts'
import { ViTNorm } from './norm.ts'
import type { ParameterScope } from './parameter-scope.ts'

export class ViTPooling {
  readonly #config: ViTConfig
  readonly #finalNorm: ViTNorm
  readonly #head: ParameterScope
  readonly #headNorm: ViTNorm

  /** @param backbone its parameters */
  constructor(config: ViTConfig, backbone: ParameterScope) {
    this.#config = config
    this.#finalNorm = new ViTNorm(backbone.scope('layernorm'), config.layerNormEps)
    this.#head = backbone.scope('head')
    this.#headNorm = new ViTNorm(this.#head.scope('layernorm'), config.layerNormEps)
  }

  /** The encoder's output, normalized where the final norm is of every token: [B, N, C] → [B, N, C] */
  lastHiddenState(encoded: Tensor3D): Tensor3D {
    return this.#config.finalNorm === 'tokens' ? this.#finalNorm.forward(encoded) : encoded
  }

  /** [B, N, C] → [B, C] */
  pooled(lastHiddenState: Tensor3D): Tensor2D {
    const pooled = this.#pool(lastHiddenState)
    return this.#config.finalNorm === 'pooled' ? this.#finalNorm.forward(pooled) : pooled
  }

  /** What the classifier reads: [B, N, C] → [B, C], or [B, 2·C] */
  headInput(lastHiddenState: Tensor3D): Tensor2D {
    const { headInput, numLabels } = this.#config
    if (headInput === 'mean' && numLabels > 0) return this.#mean(lastHiddenState)
    if (headInput === 'class-and-mean' && numLabels > 0)
      return concat([selectToken(lastHiddenState, CLASS_TOKEN), this.#mean(lastHiddenState)], -1)
    return this.pooled(lastHiddenState)
  }

  #pool(tokens: Tensor3D): Tensor2D {
    const { pooling } = this.#config
    if (pooling === 'attention') return this.#attentionPooled(tokens)
    return pooling === 'mean' ? this.#mean(tokens) : selectToken(tokens, CLASS_TOKEN)
  }

  #mean(tokens: Tensor3D): Tensor2D {
    return meanTokens(tokens, numPrefixTokens(this.#config))
  }

  /** SigLIP's head: a probe attends to all tokens, then an MLP with a residual connection. */
  #attentionPooled(tokens: Tensor3D): Tensor2D {
    const { hiddenSize, numAttentionHeads, hiddenAct } = this.#config
    const dense = <T extends Tensor2D | Tensor3D>(x: T, name: string): T => {
      const scope = this.#head.scope(name)
      return linear(x, scope.matrix('weight'), scope.vector('bias'))
    }
    const query = dense(reshape(this.#head.tokens('probe'), [1, hiddenSize]) as Tensor2D, 'attention.query')
    const keyValue = concat([dense(tokens, 'attention.key'), dense(tokens, 'attention.value')], -1) // [B, N, 2·C]
    const attended = dense(attentionPool(query, keyValue, numAttentionHeads), 'attention.output') // [B, C]
    const hidden = activate(dense(this.#headNorm.forward(attended), 'mlp.up'), hiddenAct)
    return add(attended, dense(hidden, 'mlp.down'))
  }
}
