/** Where a request comes from. */
import type { Context } from 'hono'

/** What Bun.serve gives beside a request. */
interface Bindings {
  requestIP?(request: Request): { address: string } | null
}

/** @returns 'unknown' for a request that came through no socket */
export function clientAddress(context: Context, trustProxy: boolean): string {
  const forwarded = trustProxy ? context.req.header('x-forwarded-for')?.split(',').at(-1)?.trim() : undefined
  // No address is longer; what a client wrote is kept short.
  return (forwarded || (context.env as Bindings | undefined)?.requestIP?.(context.req.raw)?.address || 'unknown').slice(
    0,
    45,
  )
}
