/**
 * Protection against cross-site requests: any page can have its visitor's browser send forms and files to any server, even one
 * on the visitor's machine. Requests that cost or change something are accepted from pages of this server, of configured
 * origins, and from clients that are not browsers. Hono's `csrf` checks only content types of forms.
 */
import type { MiddlewareHandler } from 'hono'
import { RequestError } from '../errors.ts'
import type { AppEnv } from '../services.ts'

const safe: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

/** @param origins origins of other pages that may call, such as https://example.com */
export function sameSite(origins: readonly string[]): MiddlewareHandler<AppEnv> {
  return async function sameSite(context, next) {
    const { method } = context.req
    const site = context.req.header('sec-fetch-site')
    const origin = context.req.header('origin')
    const isOwn =
      site === undefined ? isOriginOf(context.req.header('host'), origin) : /^(same-origin|none)$/.test(site)
    if (safe.has(method) || isOwn || (origin !== undefined && origins.includes(origin))) return next()
    throw new RequestError(
      'cross_site',
      'The request comes from a page of another origin; expected this server’s own, or one of its setting cors.origins.',
    )
  }
}

/** Browsers without Sec-Fetch-Site send Origin; a client that sends neither is not a browser. */
const isOriginOf = (host: string | undefined, origin: string | undefined): boolean =>
  origin === undefined || (URL.canParse(origin) && new URL(origin).host === host?.toLowerCase())
