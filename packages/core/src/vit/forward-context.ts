/** What one forward pass carries through the layers: whether it trains, its random seeds, what it was asked to output. */
import type { Tensor } from '@tensorflow/tfjs-core'
import { dropout, type LinearDrops } from '../ops/index.ts'
import { deriveSeed } from '../tape/random.ts'

export interface ForwardContextOptions {
  /** Dropout and drop path act. @default false */
  training?: boolean
  /** Of all dropout in this pass. @default 0 */
  seed?: number
  outputAttentions?: boolean
  /**
   * Layers keep their inputs alone for the gradient, and are computed again in the backward pass: less memory for more
   * time. HF's `gradient_checkpointing`. Without effect where attentions are asked for. @default false
   */
  gradientCheckpointing?: boolean
  outputHiddenStates?: boolean
}

interface ContextOptions extends ForwardContextOptions {
  /**
   * Nothing but the class token is read of the last layer: what else it would compute is left out. Without effect where
   * hidden states or attentions are asked for. @default false
   */
  classTokenOnly?: boolean
}

/** Sets the seeds of layers apart from those of places. */
const LAYERS = 0x1a7e25

export class ForwardContext {
  readonly training: boolean
  readonly outputAttentions: boolean
  readonly outputHiddenStates: boolean
  readonly gradientCheckpointing: boolean
  readonly classTokenOnly: boolean
  readonly #seed: number
  #site = 0

  constructor(options: ContextOptions = {}) {
    this.training = options.training ?? false
    this.outputAttentions = options.outputAttentions ?? false
    this.outputHiddenStates = options.outputHiddenStates ?? false
    this.gradientCheckpointing = options.gradientCheckpointing ?? false
    this.classTokenOnly = (options.classTokenOnly ?? false) && !this.outputAttentions && !this.outputHiddenStates
    this.#seed = options.seed ?? 0
  }

  /** A context of layer i, with seeds of its own: however often it is asked for, its layer draws the same numbers. */
  ofLayer(i: number, isLast: boolean): ForwardContext {
    const classTokenOnly = this.classTokenOnly && isLast
    return new ForwardContext({ ...this, classTokenOnly, seed: deriveSeed(this.#seed, LAYERS, i) })
  }

  /** The seed of the next place that draws random numbers; the same sequence in every pass with the same seed. */
  nextSeed(): number {
    return deriveSeed(this.#seed, this.#site++)
  }

  /** `probability` while training, else 0. */
  whileTraining(probability: number): number {
    return this.training ? probability : 0
  }

  /** Dropout while training, else the tensor itself. */
  dropout<T extends Tensor>(x: T, probability: number): T {
    return this.whileTraining(probability) > 0 ? dropout(x, { probability, seed: this.nextSeed() }) : x
  }

  /** What is dropped at the end of a branch while training, of a layer with this drop path. */
  branchDrops(hiddenDropoutProb: number, layerDropPath: number): Required<LinearDrops> {
    const dropoutProbability = this.whileTraining(hiddenDropoutProb)
    const dropoutSeed = dropoutProbability > 0 ? this.nextSeed() : 0
    const dropPathProbability = this.whileTraining(layerDropPath)
    return { dropoutProbability, dropoutSeed, dropPathProbability, dropPathSeed: this.nextSeed() }
  }
}
