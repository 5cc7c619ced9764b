/** Options of an engine: its models, its limits, and their defaults. */
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BackendName, ComputeDtype } from '@vitral/core'
import { checkInteger } from '@vitral/core/check'
import { configSchema, modelSchema } from '../config.ts'
import { modelNamePattern } from '../engine.ts'
import type { EngineEvent } from '../engine-events.ts'

/** One model of an engine. */
export interface ModelOptions {
  /** Name in requests: letters and digits, with . _ - in between, at most 64 characters. */
  name: string
  /** Path of a Hugging Face model folder; it is only read. */
  folder: string
  /** Backend that computes; 'auto' takes the fastest that works. @default 'auto' */
  backend?: 'auto' | BackendName
  /** Dtype of the matrix products (as in autocast); int8 needs the native backend. @default 'float32' */
  precision?: ComputeDtype
  /** Threads of each worker process of the native backend. @default the processors, divided among the model's workers */
  threads?: number
  /** Worker processes that compute; each holds the weights. @default 1 */
  workers?: number
  /** Images that are computed together at most. @default 8 */
  maxBatchSize?: number
  /** Milliseconds that the first image of a batch waits for others while a worker is free. @default 0, compute at once */
  maxDelay?: number
  /** Images that may wait; further ones are rejected with 'queue_full'. @default 256 */
  queueSize?: number
  /** When the model is loaded: before createEngine returns, or by its first request. @default 'start' */
  load?: 'start' | 'on-demand'
}

/** Options of createEngine. */
export interface EngineOptions {
  /** Models to serve, one or more, under different names. */
  models: readonly ModelOptions[]
  /**
   * Resident bytes of all models' worker processes; to load another model, the least recently used one is unloaded. During
   * a reload both versions are resident. @default no limit
   */
  memoryBudget?: number
  /** Worker processes that decode images. @default 1 */
  decoders?: number
  /** Largest image, in pixels; larger ones are rejected before they are decoded. @default 24000000 */
  maxPixels?: number
  /** Longest time for decoding one image, in whole seconds. @default 5 */
  decodeTimeoutSeconds?: number
  /** Largest number of images in a request. @default 32 */
  maxInputs?: number
  /** Deadline in milliseconds of a request that names none. @default 10000 */
  timeout?: number
  /** Longest time in milliseconds that an image may wait in the queue (decoder plus model). @default 2000 */
  queueTimeout?: number
  /** Longest time in milliseconds for a batch; a worker that takes longer is restarted. @default 15000 */
  watchdog?: number
  /** Longest time in milliseconds for loading a model. @default 120000 */
  loadTimeout?: number
  /** Milliseconds that close() waits for accepted requests. @default 10000 */
  drainTimeout?: number
  /** Milliseconds between checks of the models' folders for changes; 0 turns them off. @default 2000 */
  watchInterval?: number
  /** Milliseconds before the second restart of a worker in a row; doubled for each further one. @default 100 */
  backoff?: number
  /** Called with each event, for logs and metrics. */
  onEvent?: (event: EngineEvent) => void
  /** Path of the module that a model's worker processes run. @default the engine's own */
  modelModule?: string
}

export type ResolvedModelOptions = Required<Omit<ModelOptions, 'threads'>> & Pick<ModelOptions, 'threads'>
export type ResolvedEngineOptions = Required<Omit<EngineOptions, 'models'>> & { models: ResolvedModelOptions[] }

const { engine, limits, timeouts } = configSchema.parse({})

/** The configuration's defaults, and those of what no configuration sets. */
const defaults = {
  memoryBudget: engine.memoryBytes ?? Number.POSITIVE_INFINITY,
  decoders: engine.decoders,
  maxPixels: limits.imagePixels,
  decodeTimeoutSeconds: engine.decodeSeconds,
  maxInputs: limits.imagesPerRequest,
  timeout: timeouts.requestMilliseconds,
  queueTimeout: engine.queueMilliseconds,
  watchdog: engine.watchdogMilliseconds,
  drainTimeout: timeouts.drainMilliseconds,
  watchInterval: engine.watchMilliseconds,
  loadTimeout: 120_000,
  backoff: 100,
}

const { name: _, folder: __, ...modelDefaults } = modelSchema.parse({ name: 'model', folder: 'model' })

/** @throws Error that names the option, its value and what was expected */
export function resolveOptions({ models, ...options }: EngineOptions): ResolvedEngineOptions {
  if (models.length === 0) throw new Error('models is empty; expected one or more models, { name, folder }.')
  const names = models.map(({ name }) => name)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) throw new Error(`Two models are named '${twice}'; expected a different name for each.`)
  const resolved = {
    ...defaults,
    onEvent: () => {},
    modelModule: fileURLToPath(new URL('../workers/process/model.ts', import.meta.url)),
    ...defined(options),
  }
  for (const field of ['decoders', 'maxPixels', 'decodeTimeoutSeconds', 'maxInputs'] as const)
    checkInteger(field, resolved[field], 1)
  for (const field of ['memoryBudget', 'timeout', 'queueTimeout', 'watchdog', 'loadTimeout'] as const)
    ensure(resolved[field] > 0, field, resolved[field], 'a number above 0')
  for (const field of ['drainTimeout', 'watchInterval', 'backoff'] as const)
    ensure(resolved[field] >= 0, field, resolved[field], 'a number, 0 or more')
  return { ...resolved, models: models.map(resolveModel) }
}

function resolveModel(options: ModelOptions): ResolvedModelOptions {
  const { name } = options
  ensure(modelNamePattern.test(name), 'name', name, 'letters and digits, with . _ - in between, at most 64 characters')
  const resolved: ResolvedModelOptions = {
    ...modelDefaults,
    ...defined(options),
    folder: resolve(options.folder), // a name that is not a path could be taken for a hub id and downloaded
  }
  for (const field of ['workers', 'maxBatchSize', 'queueSize'] as const)
    checkInteger(`${field} of '${name}'`, resolved[field], 1)
  if (resolved.workers > 1) resolved.threads ??= Math.max(1, Math.floor(availableParallelism() / resolved.workers))
  if (resolved.threads !== undefined) checkInteger(`threads of '${name}'`, resolved.threads, 1)
  ensure(resolved.maxDelay >= 0, `maxDelay of '${name}'`, resolved.maxDelay, 'milliseconds, 0 or more')
  return resolved
}

/** Drops options that are undefined, so that they do not hide the defaults. */
const defined = <T extends object>(options: T): T =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T

function ensure(holds: boolean, field: string, value: unknown, expected: string): void {
  if (!holds) throw new Error(`${field} is ${JSON.stringify(value)}; expected ${expected}.`)
}
