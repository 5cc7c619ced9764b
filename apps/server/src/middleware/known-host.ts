/**
 * Protection against DNS rebinding: a malicious page can have its own name resolve to this machine, and is then of the same
 * origin as a server here. A server that only this machine reaches therefore accepts this machine's names only.
 */
import type { MiddlewareHandler } from 'hono'
import type { Config } from '../config.ts'
import { RequestError } from '../errors.ts'
import { isLoopback } from '../loopback.ts'
import type { AppEnv } from '../services.ts'

/** @returns undefined if any name is accepted: other machines reach the server, and no hosts are configured */
export function knownHost({ host, hosts }: Pick<Config, 'host' | 'hosts'>): MiddlewareHandler<AppEnv> | undefined {
  if (hosts.length === 0 && !isLoopback(host)) return undefined
  const known = new Set(hosts.map(name => name.toLowerCase()))
  return async function knownHost(context, next) {
    const name = hostnameOf(context.req.header('host') ?? new URL(context.req.url).host)
    if (name !== undefined && (isLoopback(name) || known.has(name))) return next()
    throw new RequestError(
      'unknown_host',
      'The Host header is not a name of this server; expected localhost, or one of its setting hosts.',
    )
  }
}

function hostnameOf(host: string): string | undefined {
  // URL parses the host as a browser does: without the port, in lower case.
  return /^[\w.:[\]-]+$/.test(host) && URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : undefined
}
