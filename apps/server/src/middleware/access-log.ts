/** Access log: a line for each request, with what is needed to find it again, and nothing of its body or key. */
import type { MiddlewareHandler } from 'hono'
import { toRequestError } from '../errors.ts'
import { logSoon } from '../log.ts'
import type { AppEnv } from '../services.ts'
import { clientAddress } from './client-address.ts'

export function accessLog({ trustProxy }: { trustProxy: boolean }): MiddlewareHandler<AppEnv> {
  return async function accessLog(context, next) {
    const start = performance.now()
    await next()
    const error = context.error && toRequestError(context.error)
    const fields = {
      requestId: context.get('requestId'),
      method: context.req.method,
      path: context.req.path.slice(0, 200),
      status: context.res.status,
      milliseconds: Math.round((performance.now() - start) * 100) / 100,
      address: clientAddress(context, trustProxy),
      key: context.get('key'),
      model: context.get('model'),
      code: error?.code,
      // The stack of an unexpected error is logged, and never part of the answer.
      stack: error?.code === 'internal' && error.cause instanceof Error ? error.cause.stack : undefined,
    }
    // The line is written after the answer is sent, so that the answer does not wait for it.
    logSoon(error?.code === 'internal' ? 'error' : 'info', 'request', fields)
  }
}
