/** What an engine is made with: its models, its limits, and their defaults. */
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BackendName, ComputeDtype } from '@vitral/core'
import { modelNamePattern } from '../engine.ts'
import type { EngineEvent } from '../engine-events.ts'

export interface ModelOptions {
  /** What requests call it: letters, digits, and . _ - within, 64 at most. */
  name: string
  /** A Hugging Face model folder; it is only read. */
  folder: string
  /** @default 'auto' */
  backend?: 'auto' | BackendName
  /** bfloat16 and int8 are of the products alone, as autocast has them; int8 needs the native backend. @default 'float32' */
  precision?: ComputeDtype
  /** Of each process, where the backend is native. @default the processors, shared among the model's processes */
  threads?: number
  /** Processes that compute; each holds the weights. @default 1 */
  workers?: number
  /** @default 8 */
  maxBatchSize?: number
  /** Milliseconds that the first image waits for others while a process is free. @default 0, compute what is there */
  maxDelay?: number
  /** Images that may wait; one more is refused with 'queue_full'. @default 256 */
  queueSize?: number
  /** @default 'start' */
  load?: 'start' | 'on-demand'
}

export interface EngineOptions {
  models: readonly ModelOptions[]
  /**
   * Bytes that the processes of all models may have resident; for another model, the one that was used longest ago is
   * unloaded. While a model is reloaded, both its versions are there. @default no limit
   */
  memoryBudget?: number
  /** Processes that decode images. @default 1 */
  decoders?: number
  /** Larger images are refused before they are decoded. @default 24000000 */
  maxPixels?: number
  /** For decoding one image: whole seconds. @default 5 */
  decodeTimeoutSeconds?: number
  /** Images of one request. @default 32 */
  maxInputs?: number
  /** Milliseconds for a request that names none. @default 10000 */
  timeout?: number
  /** Milliseconds an image may wait, for a decoder and then for the model. @default 2000 */
  queueTimeout?: number
  /** Milliseconds for a batch; a process that takes longer hangs, and is replaced. @default 15000 */
  watchdog?: number
  /** Milliseconds for loading a model. @default 120000 */
  loadTimeout?: number
  /** Milliseconds that close() waits for what was accepted. @default 10000 */
  drainTimeout?: number
  /** Milliseconds between two looks at the models' folders for changes; 0 never looks. @default 2000 */
  watchInterval?: number
  /** Milliseconds before a process that has failed twice is started again; doubled for each further time. @default 100 */
  backoff?: number
  /** Told what happens, for logs and metrics. */
  onEvent?: (event: EngineEvent) => void
  /** Module that a model's processes run, in the place of the one that comes with the engine. */
  modelModule?: string
}

export type ResolvedModelOptions = Required<Omit<ModelOptions, 'threads'>> & Pick<ModelOptions, 'threads'>
export type ResolvedEngineOptions = Required<Omit<EngineOptions, 'models'>> & { models: ResolvedModelOptions[] }

/** @throws naming the option, what it is and what it can be */
export function resolveOptions({ models, ...options }: EngineOptions): ResolvedEngineOptions {
  if (models.length === 0) throw new Error('models is empty; expected one model or more, { name, folder }.')
  const names = models.map(({ name }) => name)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) throw new Error(`Two models are named '${twice}'; each needs a name of its own.`)
  const resolved = {
    memoryBudget: Number.POSITIVE_INFINITY,
    decoders: 1,
    maxPixels: 24_000_000,
    decodeTimeoutSeconds: 5,
    maxInputs: 32,
    timeout: 10_000,
    queueTimeout: 2000,
    watchdog: 15_000,
    loadTimeout: 120_000,
    drainTimeout: 10_000,
    watchInterval: 2000,
    backoff: 100,
    onEvent: () => {},
    modelModule: fileURLToPath(new URL('../workers/process/model.ts', import.meta.url)),
    ...defined(options),
  }
  for (const field of ['decoders', 'maxPixels', 'decodeTimeoutSeconds', 'maxInputs'] as const)
    ensureWhole(field, resolved[field], 1)
  for (const field of ['memoryBudget', 'timeout', 'queueTimeout', 'watchdog', 'loadTimeout'] as const)
    ensure(resolved[field] > 0, field, resolved[field], 'a number above 0')
  for (const field of ['drainTimeout', 'watchInterval', 'backoff'] as const)
    ensure(resolved[field] >= 0, field, resolved[field], 'a number, 0 or more')
  return { ...resolved, models: models.map(resolveModel) }
}

function resolveModel(options: ModelOptions): ResolvedModelOptions {
  const { name } = options
  ensure(modelNamePattern.test(name), 'name', name, 'letters, digits, and . _ - within, 64 at most')
  const resolved = {
    backend: 'auto',
    precision: 'float32',
    workers: 1,
    maxBatchSize: 8,
    maxDelay: 0,
    queueSize: 256,
    load: 'start',
    ...defined(options),
    folder: resolve(options.folder), // what is no path could be taken for a hub id, and be downloaded
  } as ResolvedModelOptions
  for (const field of ['workers', 'maxBatchSize', 'queueSize'] as const)
    ensureWhole(`${field} of '${name}'`, resolved[field], 1)
  if (resolved.workers > 1) resolved.threads ??= Math.max(1, Math.floor(availableParallelism() / resolved.workers))
  if (resolved.threads !== undefined) ensureWhole(`threads of '${name}'`, resolved.threads, 1)
  ensure(resolved.maxDelay >= 0, `maxDelay of '${name}'`, resolved.maxDelay, 'milliseconds, 0 or more')
  return resolved
}

/** An option that is undefined is one that is not given. */
const defined = <T extends object>(options: T): T =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T

const ensureWhole = (field: string, value: number, least: number): void =>
  ensure(Number.isInteger(value) && value >= least, field, value, `a whole number, ${least} or more`)

function ensure(holds: boolean, field: string, value: unknown, expected: string): void {
  if (!holds) throw new Error(`${field} is ${JSON.stringify(value)}; expected ${expected}.`)
}
