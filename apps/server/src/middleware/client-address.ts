/** The address of a request's client. */
import type { Context } from 'hono'

/** Bindings that Bun.serve passes with a request. */
interface Bindings {
  requestIP?(request: Request): { address: string } | null
}

/** @returns 'unknown' for a request without a socket */
export function clientAddress(context: Context, trustProxy: boolean): string {
  const forwarded = trustProxy ? context.req.header('x-forwarded-for')?.split(',').at(-1)?.trim() : undefined
  // No address is longer than 45 characters; what a client wrote may be.
  return (forwarded || (context.env as Bindings | undefined)?.requestIP?.(context.req.raw)?.address || 'unknown').slice(
    0,
    45,
  )
}
