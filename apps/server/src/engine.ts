/**
 * The engine's contract, between HTTP and the models: it takes images and answers each one. Queues, batches, workers and
 * memory are behind it; routes know only this file.
 */

import type { ComputeDtype } from '@vitral/core'
import type { Scoring } from '@vitral/core/scores'

/** Names of models: safe in a path, a log line and a metric's label. */
export const modelNamePattern = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$/

/** What is computed for each input: scores, features, both, or scores and an attention rollout. */
export const tasks = ['classify', 'embed', 'classify-and-embed', 'explain'] as const

/** One of these tasks. */
export type Task = (typeof tasks)[number]

/** One request: inputs for one task of one model. */
export interface EngineRequest {
  /** Name of a model; an unknown one is an error 'model_not_found'. */
  model: string
  /** What is computed for each input. */
  task: Task
  /** Inputs; either all of them enter the queue, or none. */
  inputs: readonly EngineInput[]
  /** Requests the best classes in place of the logits; they are chosen in the worker process. */
  best?: BestClasses
  /** Whether the attention of task 'explain' is also laid over each image. */
  draw?: boolean
  /** Aborted when the client closes the connection: inputs that have not begun are not computed. */
  signal?: AbortSignal
  /** Deadline in milliseconds from now. @default the engine's own */
  timeout?: number
}

/** A top-k selection of classes. */
export interface BestClasses {
  /** Number of classes; all of them if the model has fewer. */
  count: number
  /** Turns logits into scores. @default the model's own scoring */
  scoring?: Scoring
}

/** An image file's bytes (JPEG, PNG, WebP, BMP, Netpbm), or normalized pixel values [channels, height, width] of the model's size. */
export type EngineInput = { image: Uint8Array } | { pixelValues: Float32Array }

/** One input's outputs. All values are finite: an input with non-finite values is an error instead. */
export interface EngineOutput {
  /** [numLabels], for all tasks but 'embed', unless the best classes are requested. */
  logits?: Float32Array
  /** Indices of the best classes, best first, and their scores; both [count]. */
  best?: { indices: Float32Array; scores: Float32Array }
  /** [featureSize], what the classifier reads, or the pooled features, for 'embed' and 'classify-and-embed'. */
  features?: Float32Array
  /** Attention rollout from the class token to each patch, [height × width], scaled to a maximum of 1, for 'explain'. */
  attention?: { height: number; width: number; values: Float32Array }
  /** A PNG file, if `draw` was requested. */
  drawn?: Uint8Array
}

/** The outputs of a request. */
export interface EngineResult {
  /** One output for each input, in order. */
  outputs: EngineOutput[]
  /** Version of the model that answered: a hash of its files. */
  version: string
  /** Milliseconds in each stage, of the slowest input. */
  stages: { queue: number; decode: number; compute: number }
}

/** A model as clients see it. */
export interface ModelDescription {
  /** Name in requests. */
  name: string
  /** Whether it answers requests: an unloaded one does after loading, a failed one does not. */
  state: 'unloaded' | 'loading' | 'ready' | 'failed'
  /** Whether the model has a classifier; one without it (ViTModel, such as DINO) gives features and attention only. */
  classifies: boolean
  /** Names of the classes, in the order of the logits; empty until the model's folder has been read. */
  labels: readonly string[]
  /** [height, width]. */
  imageSize: readonly [height: number, width: number]
  /** Channels of an input: 3 for RGB, 1 for grey. */
  numChannels: number
  /** Length of the features. */
  featureSize: number
  /** Backend that computes: native, wasm, … */
  backend: string
  /** Dtype of the matrix products. */
  precision: ComputeDtype
  /** Turns logits into scores: softmax, sigmoid (multi-label models, and a single label), or none (regression). */
  scoring: Scoring
  /** Hash of the model's files; empty until it has been loaded. */
  version: string
  /** Why the model has failed: one sentence, without paths. */
  error?: string
}

/** What routes need of an engine. */
export interface Engine {
  /** Descriptions of all models, whatever state they are in. */
  models(): ModelDescription[]
  /** Computes a request's inputs. @throws EngineError if any input has no answer */
  run(request: EngineRequest): Promise<EngineResult>
  /** Whether every model that should be loaded is loaded and has a running worker, and the engine is not shutting down. */
  ready(): boolean
  /** Images queued and running now, by model. */
  load(): { model: string; queued: number; running: number }[]
  /**
   * Shuts down: accepts no new requests, finishes the accepted ones, then stops the workers.
   *
   * @param timeout milliseconds to wait for accepted requests. @default the engine's drainTimeout
   * @throws EngineError 'draining', after everything has stopped, if requests had to be given up
   */
  close(timeout?: number): Promise<void>
}

/** An engine with the operations of whoever runs it. */
export interface ManagedEngine extends Engine {
  /**
   * Loads a model's folder, again if it is loaded already.
   *
   * @throws EngineError that says why it cannot be served; the version before stays in service
   */
  reload(model: string): Promise<ModelDescription>
  /** Frees a model's memory once its running requests are answered; the next request, or `reload`, loads it again. */
  unload(model: string): Promise<ModelDescription>
  /** Resident bytes of each model's worker processes, as of their last answer; 0 for a model that is not loaded. */
  memory(): { model: string; bytes: number }[]
  /** Ids of all worker processes that run now. */
  processes(): number[]
}

/** Error codes of the engine, as clients see them. */
export const engineErrorCodes = [
  'model_not_found',
  'model_not_ready',
  'model_failed',
  'image_corrupt',
  'image_too_large',
  'image_too_slow',
  'unsupported_format',
  'wrong_shape',
  'non_finite_input',
  'input_overflows',
  'no_classifier',
  'non_finite_output',
  'too_many_inputs',
  'queue_full',
  'queue_timeout',
  'model_hangs',
  'deadline_exceeded',
  'cancelled',
  'worker_failed',
  'draining',
] as const

/** One of these codes. */
export type EngineErrorCode = (typeof engineErrorCodes)[number]

/** An error of the engine; its message is for the client. */
export class EngineError extends Error {
  /** Code of the error. */
  readonly code: EngineErrorCode
  /** Seconds after which a retry makes sense; set where the engine is busy. */
  readonly retryAfter?: number

  /**
   * An error with a code and a sentence for the client.
   *
   * @param message one sentence for the client: what happened, what was expected, what to do
   */
  constructor(code: EngineErrorCode, message: string, options: { retryAfter?: number; cause?: unknown } = {}) {
    super(message, { cause: options.cause })
    this.name = 'EngineError'
    this.code = code
    this.retryAfter = options.retryAfter
  }
}
