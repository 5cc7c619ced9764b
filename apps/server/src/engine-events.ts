/** Events of an engine, for logs and metrics. */
import type { EngineErrorCode } from './engine.ts'

/** One event, told apart by its field `event`. */
export type EngineEvent =
  /** A batch was computed, or failed. */
  | { event: 'batch'; model: string; size: number; compute: number; error?: EngineErrorCode }
  /** A worker process ended or did not start; it is restarted. `model` is absent for a decoder. */
  | { event: 'worker_failed'; model?: string; reason: string; failuresInARow: number }
  /**
   * A model is ready. `replaces` is the version that answered before; `unknownFields` are fields of its config.json without
   * effect.
   */
  | {
      event: 'loaded'
      model: string
      version: string
      replaces?: string
      milliseconds: number
      unknownFields?: readonly string[]
    }
  /** A model could not be loaded; the version before, `serving`, stays in service if there is one. */
  | { event: 'load_failed'; model: string; reason: string; serving?: string }
  /** A model's memory was freed. */
  | { event: 'unloaded'; model: string; version: string }
