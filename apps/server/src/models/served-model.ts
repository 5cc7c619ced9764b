/** One model by its name: the version in service, and how another one replaces it. */

import { EngineError, type EngineRequest, type EngineResult, type ModelDescription } from '../engine.ts'
import { Admission } from '../queue/admission.ts'
import type { Ticket } from '../queue/ticket.ts'
import type { LoadedDescription } from '../workers/protocol.ts'
import { answer, type Draw } from './answer.ts'
import { describeInWorker } from './describe-in-worker.ts'
import { ensureFolder, estimateMemory } from './folder.ts'
import { changeOfLabels, explain } from './load-errors.ts'
import { modelDescription } from './model-description.ts'
import { ModelVersion, type VersionOptions } from './model-version.ts'
import type { Decode } from './prepare-input.ts'

interface ServedModelOptions extends VersionOptions {
  decode: Decode
  draw: Draw
  /** Frees memory for the model, then calls `load`; one model at a time. */
  makeRoom(model: ServedModel, load: () => Promise<void>): Promise<void>
}

/** Milliseconds until a request may retry loading a model that could not be loaded. */
const RETRY = 5000

export class ServedModel {
  /** Time of the last request, by performance.now(): the least recently used model is unloaded first. */
  lastUsed = 0
  readonly #options: ServedModelOptions
  readonly #admission: Admission
  readonly #draining = new Set<Promise<void>>()
  #current: ModelVersion | undefined
  #description: LoadedDescription | undefined
  #loading: Promise<void> | undefined
  #lastExchange: Promise<void> = Promise.resolve()
  #stopped = false
  #lastMemory: number | undefined
  #error: string | undefined
  #retryAt = 0

  constructor(options: ServedModelOptions) {
    this.#options = options
    this.#admission = new Admission(options.model.queueSize)
  }

  get name(): string {
    return this.#options.model.name
  }

  /** Images queued and running. */
  get load(): { model: string; queued: number; running: number } {
    return { model: this.name, ...this.#admission.load }
  }

  /** Resident bytes of its workers; 0 when it is not loaded. */
  get memory(): number {
    return this.#current?.memory ?? 0
  }

  /** Bytes that loading it takes: as many as the last time, or an estimate by the size of its weights. */
  async neededMemory(): Promise<number> {
    const { folder, workers } = this.#options.model
    return this.#lastMemory ?? (await estimateMemory(folder, workers))
  }

  get processes(): number[] {
    return this.#current?.processes ?? []
  }

  /** Whether requests for it are answered, if need be after loading it. */
  get healthy(): boolean {
    if (this.#current) return this.#current.healthy
    return this.#options.model.load === 'on-demand' || !this.#error
  }

  describe(): ModelDescription {
    const failed = this.#current ? this.#current.failed : this.#error !== undefined
    return {
      ...modelDescription(this.#options.model, this.#description),
      state: failed ? 'failed' : this.#current ? 'ready' : this.#loading ? 'loading' : 'unloaded',
      ...(this.#error && { error: this.#error }),
      ...(this.#current?.failed && { error: 'Its workers keep crashing.' }),
    }
  }

  /** Reads the description of a model that is not loaded. */
  async readDescription(): Promise<void> {
    const description = await describeInWorker(this.#options)
    if (!this.#current) this.#description = description ?? this.#description
  }

  /** @throws EngineError if any input has no answer */
  async run(request: EngineRequest): Promise<EngineResult> {
    this.lastUsed = performance.now()
    const { inputs, signal, timeout = this.#options.engine.timeout } = request
    const secondsFor = (images: number): number => this.#current?.secondsFor(images) ?? 0
    const ticket = this.#admission.admit({ inputs: inputs.length, timeout, signal }, secondsFor)
    try {
      return await ticket.answerOr(this.#answer(request, ticket))
    } finally {
      this.#admission.release(ticket)
    }
  }

  /** Loads the folder unless it is loaded; concurrent callers share one load. */
  async ensureLoaded(): Promise<void> {
    if (this.#current) return
    if (performance.now() < this.#retryAt) throw this.#failure()
    this.#loading ??= this.#options
      .makeRoom(this, () => this.#exchange())
      .finally(() => {
        this.#loading = undefined
      })
    await this.#loading
  }

  /**
   * Reloads the folder; requests that have begun end with the version they began with.
   *
   * @throws EngineError 'model_failed' when the folder cannot be served; the version before stays in service
   */
  async reload(): Promise<void> {
    this.#retryAt = 0
    if (this.#current) await this.#exchange({ isReload: true })
    else await this.ensureLoaded()
  }

  /** Reacts to a change of the folder: a loaded model is reloaded, a failed one may be tried again. */
  async folderChanged(): Promise<void> {
    if (this.#current) return await this.reload()
    this.#retryAt = 0
    this.#error = undefined
    await this.readDescription()
  }

  /** Frees its memory; a request loads it again. */
  async unload(): Promise<void> {
    const version = this.#current
    if (!version) return
    this.#current = undefined
    this.#lastMemory = version.memory
    await this.#drain(version)
    this.#options.engine.onEvent({ event: 'unloaded', model: this.name, version: version.description.version })
  }

  /** Resolves when no request is left and no version drains. */
  async idle(): Promise<void> {
    await this.#admission.idle()
    await Promise.all(this.#draining)
  }

  /** Ends every request with the error and stops the workers. @returns the number of requests that were ended */
  async stop(error: EngineError): Promise<number> {
    this.#stopped = true
    const left = this.#admission.failAll(error)
    await Promise.all([this.#current?.stop(), ...this.#draining])
    return left
  }

  async #answer(request: EngineRequest, ticket: Ticket): Promise<EngineResult> {
    const version = await this.#retained()
    try {
      if (version.failed) throw this.#failure()
      const onRunning = (change: number): void => this.#admission.changeRunning(change)
      // The version is released when the request is over, even if its computation is not: a hanging one would never drain.
      const { decode, draw, engine } = this.#options
      const { queueTimeout } = engine
      return await ticket.answerOr(answer(version, request, { ticket, decode, draw, queueTimeout, onRunning }))
    } finally {
      version.release()
    }
  }

  /** The version in service, retained in the same step, so that it cannot be drained in between. */
  async #retained(): Promise<ModelVersion> {
    while (!this.#current) {
      if (this.#stopped) throw new EngineError('draining', 'The server is shutting down.')
      await this.ensureLoaded()
    }
    this.#current.retain()
    return this.#current
  }

  /** Exchanges one version after another: of two loads at once, the older could win. */
  #exchange({ isReload = false } = {}): Promise<void> {
    // A model that was unloaded since the reload was requested stays unloaded.
    const exchange = this.#lastExchange.then(() => (isReload && !this.#current ? undefined : this.#loadAndExchange()))
    this.#lastExchange = exchange.catch(() => {})
    return exchange
  }

  async #loadAndExchange(): Promise<void> {
    const { model, engine } = this.#options
    const before = this.#current
    const started = performance.now()
    try {
      await ensureFolder(model.folder)
      const version = await ModelVersion.load(this.#options)
      const changed = before && changeOfLabels(before.description, version.description)
      const unloaded = before !== this.#current || this.#stopped
      if (changed || unloaded) {
        await version.stop()
        if (unloaded) return
        throw new EngineError('model_failed', changed ?? '')
      }
      this.#current = version
      this.#description = version.description
      this.#lastMemory = version.memory
      this.#error = undefined
    } catch (error) {
      this.#error = explain(error as Error, model.folder)
      this.#retryAt = performance.now() + RETRY
      const serving = before?.description.version
      if (!this.#stopped) engine.onEvent({ event: 'load_failed', model: model.name, reason: this.#error, serving })
      throw this.#failure(error)
    }
    const { version, unknownFields } = this.#current.description
    const milliseconds = performance.now() - started
    engine.onEvent({
      event: 'loaded',
      model: model.name,
      version,
      replaces: before?.description.version,
      milliseconds,
      unknownFields,
    })
    if (before) void this.#drain(before)
  }

  async #drain(version: ModelVersion): Promise<void> {
    const draining = version.drain()
    this.#draining.add(draining)
    await draining
    this.#draining.delete(draining)
  }

  #failure(cause?: unknown): EngineError {
    const why = this.#error ?? 'its workers keep crashing.'
    return new EngineError('model_failed', `The model cannot be served: ${why}`, { retryAfter: 5, cause })
  }
}
