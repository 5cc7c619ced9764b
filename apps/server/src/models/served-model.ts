/** One model by its name: which version of it answers, and how that is exchanged for another. */

import { EngineError, type EngineRequest, type EngineResult, type ModelDescription } from '../engine.ts'
import { Admission } from '../queue/admission.ts'
import type { Ticket } from '../queue/ticket.ts'
import type { LoadedDescription } from '../workers/model-calls.ts'
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
  /** Calls `load` once there is memory for the model, and alone. */
  makeRoom(model: ServedModel, load: () => Promise<void>): Promise<void>
}

/** Milliseconds until a request tries again to load a model that could not be loaded. */
const RETRY = 5000

export class ServedModel {
  /** By performance.now(), for choosing which to unload. */
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

  /** Images waiting and being computed. */
  get load(): { model: string; queued: number; running: number } {
    return { model: this.name, ...this.#admission.load }
  }

  /** Bytes its processes have resident; 0 when it is not loaded. */
  get memory(): number {
    return this.#current?.memory ?? 0
  }

  /** Bytes that loading it takes: as many as the last time, or by the size of its weights. */
  async neededMemory(): Promise<number> {
    const { folder, workers } = this.#options.model
    return this.#lastMemory ?? (await estimateMemory(folder, workers))
  }

  get processes(): number[] {
    return this.#current?.processes ?? []
  }

  /** Whether requests for it are answered, or would be once they have loaded it. */
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
      ...(this.#current?.failed && { error: 'Its processes end again and again.' }),
    }
  }

  /** Learns what can be told of it before it is loaded. */
  async readDescription(): Promise<void> {
    const description = await describeInWorker(this.#options)
    if (!this.#current) this.#description = description ?? this.#description
  }

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

  /** Loads the folder if it is not loaded; several callers wait for one load. */
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
   * Loads the folder anew and answers with it from then on; requests that have begun end with the version they began
   * with.
   *
   * @throws EngineError 'model_failed' when the folder cannot be served; the version before goes on
   */
  async reload(): Promise<void> {
    this.#retryAt = 0
    if (this.#current) await this.#exchange({ isReload: true })
    else await this.ensureLoaded()
  }

  /** Says that the folder's content has changed: what is loaded is loaded anew, what has failed may be tried again. */
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

  /** Resolved when no request is left, and nothing drains. */
  async idle(): Promise<void> {
    await this.#admission.idle()
    await Promise.all(this.#draining)
  }

  /** Ends every request with the error, and the processes. */
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
      // Released when the request is over, even if its computation is not: a version that hangs would never be unused.
      const { decode, draw, engine } = this.#options
      const { queueTimeout } = engine
      return await ticket.answerOr(answer(version, request, { ticket, decode, draw, queueTimeout, onRunning }))
    } finally {
      version.release()
    }
  }

  /** The version that answers now, retained in the same step, so that none is drained between. */
  async #retained(): Promise<ModelVersion> {
    while (!this.#current) {
      if (this.#stopped) throw new EngineError('draining', 'The server goes down.')
      await this.ensureLoaded()
    }
    this.#current.retain()
    return this.#current
  }

  /** One after the other: of two loads at once the older could win. */
  #exchange({ isReload = false } = {}): Promise<void> {
    // What has been unloaded since the reload was asked for stays so.
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
    const why = this.#error ?? 'its processes end again and again.'
    return new EngineError('model_failed', `The model cannot be served: ${why}`, { retryAfter: 5, cause })
  }
}
