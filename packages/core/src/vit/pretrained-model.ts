/** The common part of all ViTs: a configuration, parameters under HF's names, the figure's boxes, and a folder to go to. */
import { clone, type Tensor, tensor, tidy, type Variable } from '@tensorflow/tfjs-core'
import { type HubOptions, readFolder } from '../files/hub/hub.ts'
import { type WriteModelOptions, writeModelFolder } from '../files/model-folder.ts'
import type { Weights } from '../files/weight-files.ts'
import { resolveConfig, type ViTConfig, type ViTConfigOptions } from './config.ts'
import { ViTEmbeddings } from './embeddings.ts'
import { ViTEncoder } from './encoder.ts'
import {
  type Adapters,
  adapterNames,
  createAdapter,
  createAdapters,
  type LoraConfig,
  loraConfigOf,
  resolveLora,
} from './lora/lora.ts'
import {
  adapterFileNames,
  readAdapterFolder,
  type WriteAdaptersOptions,
  writeAdapterFolder,
} from './lora/lora-folder.ts'
import { ParameterScope } from './parameter-scope.ts'
import { initialValue } from './parameters/init.ts'
import {
  createParameters,
  type ModelParts,
  type ParameterShapes,
  type Parameters,
  parameterShapes,
} from './parameters/parameters.ts'
import {
  countParameters,
  isAdapter,
  isHead,
  type ParameterCounts,
  partOf,
  type TrainablePart,
  trainableOf,
} from './parameters/trainable.ts'
import { ViTPooling } from './pooling.ts'
import { configToJson } from './pretrained/config-json.ts'
import { makesQueries, queryFactor, scaledQuery } from './pretrained/query-scale.ts'
import { toFileTensors } from './pretrained/to-file-tensors.ts'

/** Options of a new model. */
export interface ViTOptions {
  /** Seed for initialising the weights. @default 0 */
  seed?: number
  /** Whether the model has a mask token, for `boolMaskedPos`. @default false */
  useMaskToken?: boolean
  /** Values by HF name to start from, or variables to take over; what is absent is newly initialized. @default none */
  values?: ReadonlyMap<string, Float32Array | Variable>
}

/** Options of addAdapters: PEFT's LoraConfig, and a seed. */
export interface AdapterOptions extends Partial<LoraConfig> {
  /** Seed for initialising the weights. @default 0 */
  seed?: number
}

export abstract class PretrainedModel {
  readonly config: ViTConfig
  protected readonly embeddings: ViTEmbeddings
  protected readonly encoder: ViTEncoder
  protected readonly pooling: ViTPooling
  protected readonly root: ParameterScope
  /** The class's name in `config.json`; not taken from the class itself, whose name a minifier may change. */
  protected abstract get architecture(): string
  readonly #parameters: Parameters
  readonly #adapters: Adapters = new Map()
  readonly #prefix: string
  readonly #isClassifier: boolean

  protected constructor(
    config: ViTConfigOptions,
    parts: Omit<ModelParts, 'maskToken'>,
    { seed = 0, useMaskToken = false, values = new Map() }: ViTOptions,
  ) {
    this.config = resolveConfig(config)
    const { initializerRange, layerScaleInit } = this.config
    const shapes = parameterShapes(this.config, { ...parts, maskToken: useMaskToken })
    this.#parameters = createParameters(shapes, values, (name, size, index) =>
      initialValue(name, size, { initializerRange, layerScaleInit, seed, index }),
    )
    this.#prefix = parts.prefix
    this.#isClassifier = parts.classifier
    this.root = new ParameterScope(this.#parameters, this.#adapters, '')
    const backbone = new ParameterScope(this.#parameters, this.#adapters, parts.prefix)
    this.embeddings = new ViTEmbeddings(this.config, backbone.scope('embeddings'))
    this.encoder = new ViTEncoder(this.config, backbone.scope('encoder'))
    this.pooling = new ViTPooling(this.config, backbone)
  }

  /** The variables by HF name, in the order of the forward pass, adapters last; live, not copies. */
  parameters(): Parameters {
    return this.#parameters
  }

  /** The parameters that train: all, unless `setTrainable` or their own flag `trainable` says otherwise. */
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

  /** The configuration of its adapters, if it has any. */
  get adapters(): LoraConfig | undefined {
    return this.#adapters.size > 0 ? loraConfigOf(this.#adapters) : undefined
  }

  /** Number of elements of all parameters, and of those that train. */
  countParameters(): ParameterCounts {
    return countParameters(this.#parameters)
  }

  /**
   * Adds low-rank adapters: they and the head train, everything else is frozen. The model computes at first what it did
   * without them. PEFT's `get_peft_model` with a LoraConfig whose `modules_to_save` is the head.
   *
   * @param options PEFT's defaults, rank 8 and alpha 8; on query and value
   * @throws when an option is wrong, or the model has adapters
   * @example
   * model.addAdapters({ rank: 16, alpha: 16 })
   * model.countParameters() // { trainable: 597514, total: 86396170 } of a ViT-B/16 with ten classes
   */
  addAdapters({ seed = 0, ...options }: AdapterOptions = {}): void {
    const config = resolveLora(options)
    this.#adopt(() => createAdapters(this.#parameters, config, seed))
  }

  /** Folds the adapters into the weights they adapt: the model is a plain one again, of which the head trains. */
  mergeAdapters(): void {
    for (const [name, adapter] of this.#adapters) {
      const weight = this.#parameters.get(name) as Variable
      const merged = tidy(() => this.root.matrix(name))
      weight.assign(merged as Tensor)
      for (const tensor of [merged, adapter.loraA, adapter.loraB]) tensor.dispose()
      for (const adapterName of adapterNames(name)) this.#parameters.delete(adapterName)
    }
    this.#adapters.clear()
  }

  /**
   * Writes the adapters and the head alone, as PEFT does: `adapter_config.json` and `adapter_model.safetensors`, which
   * Python's peft puts on the same base model.
   *
   * @throws when the model has no adapters
   */
  async saveAdapters(folder: string, options: WriteAdaptersOptions = {}): Promise<void> {
    const config = this.adapters
    if (!config) throw new Error('saveAdapters: the model has no adapters; add them with addAdapters.')
    const { prefixes } = adapterFileNames(this.config, 'saveAdapters')
    const prefix = prefixes[this.#isClassifier ? 'classifier' : 'model']
    const weights = new Map<string, Weights>()
    for (const [name, parameter] of this.#parameters)
      if (isHead(name)) weights.set(name, await this.#saved(name, () => parameter))
      else if (isAdapter(name))
        weights.set(prefix + name.slice(this.#prefix.length), await this.#saved(name, () => parameter))
    await writeAdapterFolder(folder, config, weights, options)
  }

  /**
   * Adds adapters that `saveAdapters` or Python's peft wrote, and takes over the head that is among them.
   *
   * @param source a folder, an address of http or https, or a hub id, as `fromPretrained` takes them
   * @throws when they are adapters of another kind, or do not fit the model
   */
  async loadAdapters(source: string | URL, options: HubOptions = {}): Promise<void> {
    const naming = { prefix: this.#prefix, names: adapterFileNames(this.config, 'loadAdapters') }
    const { alpha, pairs, head } = await readFolder(source, 'adapters', options, folder =>
      readAdapterFolder(folder, naming, this.#parameters),
    )
    const factor = queryFactor(this.config)
    const adapt = (name: string, [loraA, loraB]: readonly [Weights, Weights]) => {
      const [, nameOfB] = adapterNames(name)
      const data = makesQueries(nameOfB) && factor !== 1 ? loraB.data.map(value => value / factor) : loraB.data
      return createAdapter(loraA, { ...loraB, data }, alpha)
    }
    this.#adopt(() => new Map([...pairs].map(([name, pair]) => [name, adapt(name, pair)])))
    for (const [name, { data, shape }] of head)
      tidy(() => (this.#parameters.get(name) as Variable).assign(tensor(data, shape)))
  }

  /**
   * Writes `config.json` and `model.safetensors`, which open unchanged in Python's transformers; more than
   * `maxShardBytes` (5 GB) of weights become several files. Adapters are merged in the files, and stay in the model.
   * A `qkScale` goes into the queries' weights. Files are written atomically; the weights carry a checksum in their
   * metadata, and reading them refuses a file that does not match it.
   */
  async savePretrained(folder: string, options: WriteModelOptions = {}): Promise<void> {
    const json = configToJson(this.config, this.architecture)
    const own = [...this.#parameters].filter(([name]) => !isAdapter(name))
    const shapes: ParameterShapes = new Map(own.map(([name, { shape }]) => [name, shape]))
    const kind = { prefix: this.#prefix, classifier: this.#isClassifier }
    const weights = await toFileTensors(shapes, this.config, kind, name => this.#saved(name, () => this.#merged(name)))
    await writeModelFolder(folder, json, weights, options)
  }

  /** Frees the parameters. The model cannot be used afterwards. */
  dispose(): void {
    this.encoder.dispose()
    for (const parameter of this.#parameters.values()) parameter.dispose()
  }

  /** A parameter's values in files, where the queries carry `qkScale`. */
  async #saved(name: string, values: () => Tensor): Promise<Weights> {
    const factor = queryFactor(this.config)
    const saved = tidy(() => {
      const tensor = scaledQuery(name, values(), factor)
      return tensor === this.#parameters.get(name) ? clone(tensor) : tensor
    })
    const { shape } = saved
    const data = (await saved.data()) as Float32Array
    saved.dispose()
    return { shape, data }
  }

  /** A parameter as it is without adapters. */
  #merged(name: string): Tensor {
    return this.#adapters.has(name) ? this.root.matrix(name) : (this.#parameters.get(name) as Variable)
  }

  #adopt(make: () => Adapters): void {
    if (this.#adapters.size > 0) throw new Error('The model has adapters; merge them with mergeAdapters first.')
    for (const [name, adapter] of make()) {
      this.#adapters.set(name, adapter)
      const [loraA, loraB] = adapterNames(name)
      this.#parameters.set(loraA, adapter.loraA).set(loraB, adapter.loraB)
    }
    this.setTrainable('adapters')
  }
}
