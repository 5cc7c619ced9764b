/** Error codes with their HTTP statuses, and the form in which every error is answered. */
import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { EngineError, type EngineErrorCode } from './engine.ts'

const engineStatuses = {
  model_not_found: 404,
  model_not_ready: 503,
  model_failed: 500,
  image_corrupt: 422,
  image_too_large: 413,
  image_too_slow: 422,
  unsupported_format: 415,
  wrong_shape: 400,
  non_finite_input: 400,
  input_overflows: 422,
  no_classifier: 422,
  non_finite_output: 500,
  too_many_inputs: 422,
  queue_full: 429,
  queue_timeout: 503,
  model_hangs: 504,
  deadline_exceeded: 504,
  cancelled: 499,
  worker_failed: 503,
  draining: 503,
} as const satisfies Record<EngineErrorCode, number>

const statuses = {
  ...engineStatuses,
  invalid_request: 400,
  unauthorized: 401,
  cross_site: 403,
  not_found: 404,
  method_not_allowed: 405,
  not_acceptable: 406,
  upload_timeout: 408,
  body_too_large: 413,
  unsupported_encoding: 415,
  unsupported_media_type: 415,
  unknown_host: 421,
  rate_limited: 429,
  not_ready: 503,
  too_many_bytes: 503,
  too_many_outputs: 422,
  internal: 500,
} as const

/** Codes of all errors, as clients see them. */
export type ErrorCode = keyof typeof statuses

export const errorCodes = Object.keys(statuses) as [ErrorCode, ...ErrorCode[]]

/** An error of a request; its message is for the client. */
export class RequestError extends Error {
  readonly code: ErrorCode
  /** Seconds after which a retry makes sense. */
  readonly retryAfter?: number

  constructor(code: ErrorCode, message: string, options: { retryAfter?: number; cause?: unknown } = {}) {
    super(message, { cause: options.cause })
    this.name = 'RequestError'
    this.code = code
    this.retryAfter = options.retryAfter
  }
}

/** Converts anything thrown to an error for clients; an unexpected one reveals nothing but that it happened. */
export function toRequestError(error: unknown): RequestError {
  if (error instanceof RequestError) return error
  if (error instanceof EngineError)
    return new RequestError(error.code, error.message, { retryAfter: error.retryAfter, cause: error })
  if (error instanceof HTTPException && error.status < 500)
    return new RequestError('invalid_request', error.message || 'The request is malformed.', { cause: error })
  return new RequestError('internal', "Internal server error; see the server's log.", { cause: error })
}

/** Answers `{ error, code }`, with Retry-After if a retry can help. */
export function answerError(context: Context, thrown: unknown): Response {
  const error = toRequestError(thrown)
  const status = statuses[error.code]
  const headers: Record<string, string> = {}
  if (status === 429 || status === 503) headers['Retry-After'] = String(retrySeconds(error.retryAfter))
  if (status === 401) headers['WWW-Authenticate'] = 'Bearer'
  // The rest of a rejected body is not read.
  if (status === 413 || status === 408) headers.Connection = 'close'
  // Hono's types do not know status 499.
  return context.json({ error: error.message, code: error.code }, status as 500, headers)
}

const retrySeconds = (seconds = 1): number => Math.min(30, Math.max(1, Math.ceil(seconds)))
