/**
 * A page of a stranger can have its own name resolve to this machine, and is then of the same origin as a server here (DNS
 * rebinding): a server that only this machine reaches answers to the names of this machine alone.
 */
import type { MiddlewareHandler } from 'hono'
import type { Config } from '../config.ts'
import { RequestError } from '../errors.ts'
import { isLoopback } from '../loopback.ts'
import type { AppEnv } from '../services.ts'

/** @returns undefined where any name is taken: others reach the server, and none are configured */
export function knownHost({ host, hosts }: Pick<Config, 'host' | 'hosts'>): MiddlewareHandler<AppEnv> | undefined {
  if (hosts.length === 0 && !isLoopback(host)) return undefined
  const known = new Set(hosts.map(name => name.toLowerCase()))
  return async function knownHost(context, next) {
    const name = hostnameOf(context.req.header('host') ?? new URL(context.req.url).host)
    if (name !== undefined && (isLoopback(name) || known.has(name))) return next()
    throw new RequestError(
      'unknown_host',
      'The Host header is none of this server’s names; expected localhost, or one of those in its setting hosts.',
    )
  }
}

function hostnameOf(host: string): string | undefined {
  // As a browser would read it: a port apart, letters small.
  return /^[\w.:[\]-]+$/.test(host) && URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : undefined
}
