/** Rate limits: token buckets by address or key, in a bounded map. */
import type { Context, MiddlewareHandler } from 'hono'
import { RequestError } from '../errors.ts'
import type { AppEnv } from '../services.ts'

interface Rate {
  requestsPerSecond: number
  burst: number
}

interface RateLimiter {
  /** @returns seconds until the next request is allowed; 0 if this one is */
  take(name: string): number
  readonly size: number
}

/** @param now seconds of a monotonic clock */
export function createRateLimiter(
  { requestsPerSecond, burst }: Rate,
  entries: number,
  now: () => number = () => performance.now() / 1000,
): RateLimiter {
  /** Buckets in the order of their last use: a Map keeps the order of insertion. */
  const buckets = new Map<string, { tokens: number; time: number }>()
  return {
    get size() {
      return buckets.size
    },
    take(name) {
      const time = now()
      const bucket = buckets.get(name) ?? { tokens: burst, time }
      buckets.delete(name)
      if (buckets.size >= entries) buckets.delete(buckets.keys().next().value as string)
      bucket.tokens = Math.min(burst, bucket.tokens + (time - bucket.time) * requestsPerSecond)
      bucket.time = time
      buckets.set(name, bucket)
      if (bucket.tokens < 1) return (1 - bucket.tokens) / requestsPerSecond
      bucket.tokens--
      return 0
    },
  }
}

/** @param nameOf name of the bucket; undefined for a request without a limit */
export function rateLimit(
  limiter: RateLimiter,
  nameOf: (context: Context<AppEnv>) => string | undefined,
): MiddlewareHandler<AppEnv> {
  return async function rateLimit(context, next) {
    const name = nameOf(context)
    const retryAfter = name === undefined ? 0 : limiter.take(name)
    if (retryAfter > 0)
      throw new RequestError('rate_limited', 'Too many requests; retry after the seconds in Retry-After.', {
        retryAfter,
      })
    return next()
  }
}
