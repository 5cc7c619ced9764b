/** What happens in an engine that nobody asked for: for logs and metrics. */
import type { EngineErrorCode } from './engine.ts'

export type EngineEvent =
  /** A batch was computed, or failed. */
  | { event: 'batch'; model: string; size: number; compute: number; error?: EngineErrorCode }
  /** A process ended or did not start; it is replaced. `model` is absent for one that decodes images. */
  | { event: 'worker_failed'; model?: string; reason: string; failuresInARow: number }
  /**
   * A model is ready; `replaces` is the version that answered before, `unknownFields` are those of its config.json that
   * change nothing.
   */
  | {
      event: 'loaded'
      model: string
      version: string
      replaces?: string
      milliseconds: number
      unknownFields?: readonly string[]
    }
  /** A model could not be loaded; the version that answered before, if there is one, goes on. */
  | { event: 'load_failed'; model: string; reason: string; serving?: string }
  | { event: 'unloaded'; model: string; version: string }
