/** The engine: models by name, the memory budget they share, the decoders, and the shutdown. */

import {
  EngineError,
  type EngineRequest,
  type EngineResult,
  type ManagedEngine,
  type ModelDescription,
} from '../engine.ts'
import { Decoders } from '../workers/decoders.ts'
import type { Draw } from './answer.ts'
import { estimateMemory, watchFolder } from './folder.ts'
import { type EngineOptions, type ResolvedEngineOptions, resolveOptions } from './options.ts'
import type { Decode } from './prepare-input.ts'
import { ServedModel } from './served-model.ts'

/**
 * Creates an engine: starts the decoders, loads the models with `load: 'start'`, and returns when all of them can answer.
 *
 * @throws Error of one line if an option is invalid or a model cannot be loaded, naming it and the reason
 * @example
 * const engine = await createEngine({ models: [{ name: 'vit', folder: 'models/vit' }] })
 * const { outputs } = await engine.run({ model: 'vit', task: 'classify', inputs: [{ image: bytes }] })
 */
export async function createEngine(options: EngineOptions, { signal }: StartOptions = {}): Promise<ManagedEngine> {
  signal?.throwIfAborted()
  const engine = new VitralEngine(resolveOptions(options))
  const abort = (): void => void engine.close(0)
  signal?.addEventListener('abort', abort)
  try {
    await engine.start()
    signal?.throwIfAborted()
  } catch (error) {
    await engine.close()
    throw error
  } finally {
    signal?.removeEventListener('abort', abort)
  }
  return engine
}

/** Options of createEngine that are not the engine's own. */
export interface StartOptions {
  /** Aborts the start and ends the processes that were started. */
  signal?: AbortSignal
}

class VitralEngine implements ManagedEngine {
  readonly #options: ResolvedEngineOptions
  #decoders: Decoders | undefined
  readonly #models: Map<string, ServedModel>
  readonly #stopWatching: (() => void)[] = []
  /** Aborted at the end, so that no process outlives the engine, whatever it is working on. */
  readonly #ending = new AbortController()
  #roomMaking: Promise<unknown> = Promise.resolve()
  #closing: Promise<void> | undefined

  constructor(options: ResolvedEngineOptions) {
    this.#options = options
    const decode: Decode = async (...args) => await this.#decoders?.decode(...args)
    const draw: Draw = async (...args) => await this.#decoders?.draw(...args)
    const shared = {
      engine: options,
      signal: this.#ending.signal,
      decode,
      draw,
      makeRoom: this.#makeRoom.bind(this),
    }
    this.#models = new Map(options.models.map(model => [model.name, new ServedModel({ ...shared, model })]))
  }

  async start(): Promise<void> {
    const { models, watchInterval, memoryBudget, onEvent } = this.#options
    this.#decoders = await Decoders.start({
      ...this.#options,
      signal: this.#ending.signal,
      onFailure: (reason, failuresInARow) => onEvent({ event: 'worker_failed', reason, failuresInARow }),
    })
    for (const { name, folder, workers, load } of models) {
      const model = this.#model(name)
      // Watching begins before the load, so that no change is missed. A load that fails is reported by an event.
      const onChange = (): void => void model.folderChanged().catch(() => {})
      if (watchInterval > 0) this.#stopWatching.push(watchFolder(folder, watchInterval, onChange))
      const needed = await estimateMemory(folder, workers)
      const fits = this.#memory + needed <= memoryBudget || needed > memoryBudget // a model larger than the budget is an error
      if (load !== 'start' || !fits) {
        await model.readDescription()
        continue
      }
      await model.ensureLoaded().catch((error: Error) => {
        const cause = model.describe().error ?? error.message
        throw new Error(`The model '${name}' in ${folder} cannot be served: ${cause}`)
      })
    }
  }

  models(): ModelDescription[] {
    return [...this.#models.values()].map(model => model.describe())
  }

  async run(request: EngineRequest): Promise<EngineResult> {
    if (this.#closing) throw new EngineError('draining', 'The server is shutting down.')
    const { maxInputs } = this.#options
    const { length } = request.inputs
    if (length > maxInputs)
      throw new EngineError('too_many_inputs', `The request has ${length} inputs; expected at most ${maxInputs}.`)
    return await this.#model(request.model).run(request)
  }

  async reload(name: string): Promise<ModelDescription> {
    const model = this.#model(name)
    await model.reload()
    return model.describe()
  }

  async unload(name: string): Promise<ModelDescription> {
    const model = this.#model(name)
    await model.unload()
    return model.describe()
  }

  ready(): boolean {
    return !this.#closing && [...this.#models.values()].every(model => model.healthy)
  }

  load(): { model: string; queued: number; running: number }[] {
    return [...this.#models.values()].map(model => model.load)
  }

  memory(): { model: string; bytes: number }[] {
    return [...this.#models.values()].map(({ name, memory }) => ({ model: name, bytes: memory }))
  }

  processes(): number[] {
    return [...(this.#decoders?.processes ?? []), ...[...this.#models.values()].flatMap(model => model.processes)]
  }

  close(timeout = this.#options.drainTimeout): Promise<void> {
    this.#closing ??= this.#close(timeout)
    return this.#closing
  }

  async #close(timeout: number): Promise<void> {
    for (const stop of this.#stopWatching) stop()
    const models = [...this.#models.values()]
    const { promise: late, resolve } = Promise.withResolvers<void>()
    // A timer that is left running would keep the process alive.
    const timer = setTimeout(resolve, timeout)
    await Promise.race([Promise.all(models.map(model => model.idle())), late])
    clearTimeout(timer)
    const error = new EngineError('draining', 'The server shut down before there was an answer.')
    const left = await Promise.all(models.map(model => model.stop(error)))
    await this.#decoders?.stop()
    this.#ending.abort()
    const unfinished = left.reduce((sum, count) => sum + count, 0)
    if (unfinished > 0)
      throw new EngineError('draining', `${unfinished} requests were not finished within ${timeout} ms.`)
  }

  #model(name: string): ServedModel {
    const model = this.#models.get(name)
    if (model) return model
    throw new EngineError('model_not_found', 'There is no model of this name.')
  }

  get #memory(): number {
    return [...this.#models.values()].reduce((sum, model) => sum + model.memory, 0)
  }

  /** Loads one model after another, so that two of them do not count on the same free memory. */
  #makeRoom(model: ServedModel, load: () => Promise<void>): Promise<void> {
    const loading = this.#roomMaking.then(async () => {
      const needed = await model.neededMemory()
      const { memoryBudget } = this.#options
      if (needed > memoryBudget)
        throw new EngineError(
          'model_failed',
          `It needs about ${needed} bytes; expected at most the memory budget of ${memoryBudget}.`,
        )
      const others = [...this.#models.values()].filter(other => other !== model && other.memory > 0)
      for (const other of others.sort((a, b) => a.lastUsed - b.lastUsed))
        if (this.#memory + needed > memoryBudget) await other.unload()
      await load()
    })
    this.#roomMaking = loading.catch(() => {})
    return loading
  }
}
