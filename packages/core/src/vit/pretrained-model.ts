/** What every ViT shares: a configuration, parameters under HF's names, a backbone, and a folder to go to. */
import { type Weights, type WriteModelOptions, writeModelFolder } from '../files/model-folder.ts'
import { ViTBackbone } from './backbone.ts'
import { resolveConfig, type ViTConfig, type ViTConfigOptions } from './config.ts'
import { configToJson } from './config-json.ts'
import { initialValues } from './init.ts'
import { createParameters, type ModelParts, ParameterScope, type Parameters, parameterShapes } from './parameters.ts'
import { countParameters, type ParameterCounts, partOf, type TrainablePart, trainableOf } from './trainable.ts'

export interface ViTOptions {
  /** Of the initial values. @default 0 */
  seed?: number
  /** Whether the model has a mask token, for `boolMaskedPos`. @default false */
  useMaskToken?: boolean
  /** Values by HF name to start from; what is absent is made anew. @default all anew */
  values?: ReadonlyMap<string, Float32Array>
}

export abstract class PretrainedModel {
  readonly config: ViTConfig
  protected readonly backbone: ViTBackbone
  protected readonly root: ParameterScope
  /** The class's name in `config.json`; not taken from the class itself, whose name a minifier may change. */
  protected abstract readonly architecture: string
  readonly #parameters: Parameters

  protected constructor(
    config: ViTConfigOptions,
    parts: Omit<ModelParts, 'maskToken'>,
    { seed = 0, useMaskToken = false, values = new Map() }: ViTOptions,
  ) {
    this.config = resolveConfig(config)
    const { initializerRange } = this.config
    const shapes = parameterShapes(this.config, { ...parts, maskToken: useMaskToken })
    this.#parameters = createParameters(shapes, initialValues(shapes, values, { initializerRange, seed }))
    this.root = new ParameterScope(this.#parameters, '')
    this.backbone = new ViTBackbone(this.config, new ParameterScope(this.#parameters, parts.prefix))
  }

  /** The variables by HF name, in the order of the forward pass; live, not copies. */
  parameters(): Parameters {
    return this.#parameters
  }

  /** Those of the parameters that train: all, unless `setTrainable` or their own flag `trainable` says otherwise. */
  trainableParameters(): Parameters {
    return trainableOf(this.#parameters)
  }

  /**
   * Sets which parameters train; the others are frozen: they have no gradient, nothing is kept for them in the forward
   * pass, and the backward pass stops above the lowest layer that trains. Single parameters can be set by their flag
   * `trainable`, torch's `requires_grad`.
   *
   * @throws when the model has no such part
   * @example
   * model.setTrainable({ lastLayers: 2 })
   * model.countParameters() // { trainable: 14184970, total: 85806346 } of a ViT-B/16 with ten classes
   */
  setTrainable(part: TrainablePart): void {
    const trains = partOf(this.#parameters, this.config.numHiddenLayers, part)
    for (const [name, parameter] of this.#parameters) parameter.trainable = trains(name)
  }

  /** How many numbers the parameters have, and those of them that train. */
  countParameters(): ParameterCounts {
    return countParameters(this.#parameters)
  }

  /**
   * Writes `config.json` and `model.safetensors`, which open unchanged in Python's transformers; more than
   * `maxShardBytes` (5 GB) of weights become several files. Each file is written aside and renamed, so that none is ever
   * half there.
   */
  async savePretrained(folder: string, options: WriteModelOptions = {}): Promise<void> {
    const weights = new Map<string, Weights>()
    for (const [name, parameter] of this.#parameters)
      weights.set(name, { shape: parameter.shape, data: (await parameter.data()) as Float32Array })
    await writeModelFolder(folder, configToJson(this.config, this.architecture), weights, options)
  }

  /** Frees the parameters. The model cannot be used afterwards. */
  dispose(): void {
    for (const parameter of this.#parameters.values()) parameter.dispose()
  }
}
