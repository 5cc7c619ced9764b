/** Puts the engine together: the models by name, the memory they share, the decoders, and the end of it all. */

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
 * Starts the processes, loads what is to be loaded at the start, and returns when all of it can answer.
 *
 * @throws when an option is wrong, or a model that is to be loaded cannot be: one line that says which and why
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

export interface StartOptions {
  /** Gives up what has not started yet, and ends its processes. */
  signal?: AbortSignal
}

class VitralEngine implements ManagedEngine {
  readonly #options: ResolvedEngineOptions
  #decoders: Decoders | undefined
  readonly #models: Map<string, ServedModel>
  readonly #stopWatching: (() => void)[] = []
  /** Aborted at the end: no process outlives the engine, whatever it is at. */
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
      // Before it is loaded: what changes meanwhile must not be missed. A load that fails says so in an event.
      const onChange = (): void => void model.folderChanged().catch(() => {})
      if (watchInterval > 0) this.#stopWatching.push(watchFolder(folder, watchInterval, onChange))
      const needed = await estimateMemory(folder, workers)
      const fits = this.#memory + needed <= memoryBudget || needed > memoryBudget // which is an error
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
    if (this.#closing) throw new EngineError('draining', 'The server is going down; another one may answer.')
    const { maxInputs } = this.#options
    const { length } = request.inputs
    if (length > maxInputs)
      throw new EngineError('too_many_inputs', `The request has ${length} inputs; at most ${maxInputs} are taken.`)
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
    // Cleared: it would keep a process that has nothing left to do.
    const timer = setTimeout(resolve, timeout)
    await Promise.race([Promise.all(models.map(model => model.idle())), late])
    clearTimeout(timer)
    const error = new EngineError('draining', 'The server went down before there was an answer.')
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
    throw new EngineError('model_not_found', 'There is no model of that name.')
  }

  get #memory(): number {
    return [...this.#models.values()].reduce((sum, model) => sum + model.memory, 0)
  }

  /** One load after the other, so that two models do not take the same room. */
  #makeRoom(model: ServedModel, load: () => Promise<void>): Promise<void> {
    const loading = this.#roomMaking.then(async () => {
      const needed = await model.neededMemory()
      const { memoryBudget } = this.#options
      if (needed > memoryBudget)
        throw new EngineError(
          'model_failed',
          `It needs about ${needed} bytes, more than the budget of ${memoryBudget}.`,
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
