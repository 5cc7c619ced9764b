/** Multi-head self-attention, its output projection, and the residual connection around them. */
import type { Tensor3D, Tensor4D } from '@tensorflow/tfjs-core'
import {
  type AttentionTensors,
  attention,
  attentionProbabilities,
  classAttention,
  type EncoderLayerDrops,
  linear,
  type OutputDtype,
  qkv,
} from '../ops/index.ts'
import type { ViTConfig } from './config.ts'
import { classToken } from './embeddings.ts'
import type { ForwardContext } from './forward-context.ts'
import type { ParameterScope } from './parameters.ts'

export interface AttentionResult {
  output: Tensor3D
  /** [B, H, N, N], when the context asks for it. */
  probabilities?: Tensor4D
}

export type AttentionDrops = Omit<EncoderLayerDrops, 'afterMlp'>

/** What scores are multiplied by. */
export function attentionScale({ qkScale, hiddenSize, numAttentionHeads }: ViTConfig): number {
  return qkScale ?? (hiddenSize / numAttentionHeads) ** -0.5
}

export class ViTAttention {
  readonly #config: ViTConfig
  readonly #query: ParameterScope
  readonly #key: ParameterScope
  readonly #value: ParameterScope
  readonly #projection: ParameterScope
  readonly #dropPathProbability: number

  constructor(config: ViTConfig, parameters: ParameterScope, dropPathProbability: number) {
    this.#config = config
    this.#query = parameters.scope('attention.query')
    this.#key = parameters.scope('attention.key')
    this.#value = parameters.scope('attention.value')
    this.#projection = parameters.scope('output.dense')
    this.#dropPathProbability = dropPathProbability
  }

  tensors(): AttentionTensors {
    const [query, key, value, projection] = [this.#query, this.#key, this.#value, this.#projection]
    const { qkvBias } = this.#config
    return {
      queryWeight: query.matrix('weight'),
      keyWeight: key.matrix('weight'),
      valueWeight: value.matrix('weight'),
      queryBias: qkvBias ? query.vector('bias') : undefined,
      keyBias: qkvBias ? key.vector('bias') : undefined,
      valueBias: qkvBias ? value.vector('bias') : undefined,
      projectionWeight: projection.matrix('weight'),
      projectionBias: projection.vector('bias'),
    }
  }

  /** What is dropped of its probabilities and of its result. */
  drops(context: ForwardContext): AttentionDrops {
    return {
      dropoutProbability: context.whileTraining(this.#config.attentionProbsDropoutProb),
      seed: context.nextSeed(),
      afterAttention: context.branchDrops(this.#config.hiddenDropoutProb, this.#dropPathProbability),
    }
  }

  /** How `forward` wants its x stored. */
  reads(context: ForwardContext, drops: AttentionDrops): OutputDtype {
    return needsNoKeys(context, drops) ? 'float32' : 'compute' // products alone read it, those of class attention in float32
  }

  /** residual + attention(x): [B, N, C] → [B, N, C], or where the context wants the class token alone, with its residual, [B, 1, C]. */
  forward(x: Tensor3D, residual: Tensor3D, context: ForwardContext, drops: AttentionDrops): AttentionResult {
    const { numAttentionHeads: numHeads } = this.#config
    const scale = attentionScale(this.#config)
    const { queryWeight, keyWeight, valueWeight, queryBias, keyBias, valueBias, ...projection } = this.tensors()
    const biases = queryBias && keyBias && valueBias && ([queryBias, keyBias, valueBias] as const)
    const weights = [queryWeight, keyWeight, valueWeight] as const
    const { dropoutProbability, seed, afterAttention } = drops
    const project = (attended: Tensor3D) =>
      linear(attended, projection.projectionWeight, projection.projectionBias, { residual, ...afterAttention })
    if (needsNoKeys(context, drops)) return { output: project(classAttention(x, weights, biases, { numHeads, scale })) }
    const packed = qkv(x, weights, biases, { outputDtype: 'compute' }) // [B, N, 3·C]
    const outputDtype = context.classTokenOnly ? 'float32' : 'compute' // products alone read all tokens'
    const attended = attention(packed, { numHeads, scale, dropoutProbability, seed, outputDtype })
    return {
      output: project(context.classTokenOnly ? classToken(attended) : attended),
      ...(context.outputAttentions && { probabilities: attentionProbabilities(packed, { numHeads, scale }) }),
    }
  }
}

/** Whether keys and values need not be there: the class token alone is wanted, and none of its probabilities dropped. */
const needsNoKeys = ({ classTokenOnly }: ForwardContext, { dropoutProbability }: AttentionDrops): boolean =>
  classTokenOnly && dropoutProbability === 0
