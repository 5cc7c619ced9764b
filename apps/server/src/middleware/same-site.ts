/**
 * Any page can have its visitor's browser send forms and files to any server, also to one on his own machine: what costs
 * or changes something is done for pages of this server and of the origins that are configured, and for all that is no
 * browser. Hono's `csrf` passes over the content types that forms do not have, and its error is not ours.
 */
import type { MiddlewareHandler } from 'hono'
import { RequestError } from '../errors.ts'
import type { AppEnv } from '../services.ts'

const safe: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

/** @param origins of other pages that may call, as https://example.com */
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
      'The request comes from a page of another origin; expected this server’s own, or one of those in its setting cors.origins.',
    )
  }
}

/** Browsers that tell no site tell the origin; what tells neither is no browser. */
const isOriginOf = (host: string | undefined, origin: string | undefined): boolean =>
  origin === undefined || (URL.canParse(origin) && new URL(origin).host === host?.toLowerCase())
