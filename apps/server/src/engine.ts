/**
 * What stands between HTTP and the models: takes images, gives each one's answer. Queues, batches, workers and memory are
 * behind it; routes know only this.
 */

import type { ComputeDtype } from '@vitral/core'
import type { Scoring } from '@vitral/core/scores'

/** Names of models: safe in a path, a log line and a metric's label. */
export const modelNamePattern = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$/

/** What is computed for each input: scores, features, both, or scores and an attention rollout. */
export type Task = 'classify' | 'embed' | 'classify-and-embed' | 'explain'

export interface EngineRequest {
  /** Name of a model; one that is not there is an error 'model_not_found'. */
  model: string
  task: Task
  /** All are taken into the queue together, or none. */
  inputs: readonly EngineInput[]
  /** The best classes that are wanted in place of the logits: they are chosen where the model computes. */
  best?: BestClasses
  /** Whether an explanation's attention is also laid over each image. */
  draw?: boolean
  /** Aborted when the client has gone: what has not begun is not computed. */
  signal?: AbortSignal
  /** Milliseconds from now by which the answer must be there; the server's default without it. */
  timeout?: number
}

export interface BestClasses {
  /** How many, or all where there are fewer. */
  count: number
  /** Another scoring than the model's own. */
  scoring?: Scoring
}

/** An image file's bytes (JPEG, PNG, WebP, BMP, Netpbm), or a prepared image [channels, height, width] of the model's size. */
export type EngineInput = { image: Uint8Array } | { pixelValues: Float32Array }

/** One input's answer; every value is finite, or there is an error in its place. */
export interface EngineOutput {
  /** [numLabels], of all tasks but 'embed', unless the best classes are wanted. */
  logits?: Float32Array
  /** Places of the best classes among the labels, best first, and their scores. */
  best?: { indices: Float32Array; scores: Float32Array }
  /** [hiddenSize], the class token after the last layer norm, of 'embed' and 'classify-and-embed'. */
  features?: Float32Array
  /** Attention rollout from the class token to each patch, largest 1, of 'explain'. */
  attention?: { height: number; width: number; values: Float32Array }
  /** A PNG file, where it was asked for. */
  drawn?: Uint8Array
}

export interface EngineResult {
  outputs: EngineOutput[]
  /** The model's content: changes when the model is reloaded. */
  version: string
  /** Milliseconds of each stage, the slowest input's. */
  stages: { queue: number; decode: number; compute: number }
}

export interface ModelDescription {
  name: string
  state: 'unloaded' | 'loading' | 'ready' | 'failed'
  /** False of a model without a classifier (ViTModel, as of DINO): it gives features, and shows where it looked. */
  classifies: boolean
  /** Names of the classes, in the order of the logits; empty until it has been loaded once. */
  labels: readonly string[]
  /** [height, width]. */
  imageSize: readonly [height: number, width: number]
  numChannels: number
  hiddenSize: number
  /** What computes: native, wasm, … */
  backend: string
  precision: ComputeDtype
  /** What makes logits scores: softmax, the sigmoid of multi-label models and of a single label, or nothing of regression. */
  scoring: Scoring
  version: string
  /** Why it has failed; a sentence for people, without paths. */
  error?: string
}

export interface Engine {
  models(): ModelDescription[]
  run(request: EngineRequest): Promise<EngineResult>
  /** Whether every model that should be loaded is, and nothing drains or restarts. */
  ready(): boolean
  /** Images waiting and being computed now, by model. */
  load(): { model: string; queued: number; running: number }[]
  /**
   * Finishes what was accepted, takes nothing new, ends the workers.
   *
   * @param timeout milliseconds to wait for what was accepted; the engine's own setting without it
   * @throws EngineError 'draining', once all has ended, when it gave up requests that took too long
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

/** What can go wrong, by the name that clients see. */
export type EngineErrorCode =
  | 'model_not_found'
  | 'model_not_ready'
  | 'model_failed'
  | 'image_corrupt'
  | 'image_too_large'
  | 'image_too_slow'
  | 'unsupported_format'
  | 'wrong_shape'
  | 'non_finite_input'
  | 'input_overflows'
  | 'no_classifier'
  | 'non_finite_output'
  | 'too_many_inputs'
  | 'queue_full'
  | 'queue_timeout'
  | 'model_hangs'
  | 'deadline_exceeded'
  | 'cancelled'
  | 'worker_failed'
  | 'draining'

export class EngineError extends Error {
  readonly code: EngineErrorCode
  /** Seconds after which trying again makes sense, of what is busy. */
  readonly retryAfter?: number

  constructor(code: EngineErrorCode, message: string, options: { retryAfter?: number; cause?: unknown } = {}) {
    super(message, { cause: options.cause })
    this.name = 'EngineError'
    this.code = code
    this.retryAfter = options.retryAfter
  }
}
