/** Counts each inference request once, however it ends; registered before the routes that compute. */
import type { MiddlewareHandler } from 'hono'
import { toRequestError } from '../errors.ts'
import { type Metrics, outcomeOf } from '../metrics.ts'
import type { AppEnv } from '../services.ts'

export function countInference(metrics: Metrics): MiddlewareHandler<AppEnv> {
  return async function countInference(context, next) {
    const start = performance.now()
    await next()
    const seconds = (performance.now() - start) / 1000
    const outcome = context.error ? outcomeOf(toRequestError(context.error).code) : 'ok'
    metrics.request(context.get('model'), outcome, seconds)
    if (outcome === 'ok') context.header('X-Total-Time', (seconds * 1000).toFixed(1))
  }
}
