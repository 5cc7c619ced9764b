/** Authentication by API keys: stored as SHA-256, compared in constant time. */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { MiddlewareHandler } from 'hono'
import type { Config } from '../config.ts'
import { RequestError } from '../errors.ts'
import type { AppEnv } from '../services.ts'

/** Longest key, in characters; longer ones are not hashed. */
const maxKeyLength = 512

interface KnownKey {
  name: string
  digest: Buffer
}

/** @param isPublic decides by the exact path; every other path needs a key, whether it is a route or not */
export function authenticate(
  keys: Config['auth']['keys'],
  isPublic: (path: string) => boolean,
): MiddlewareHandler<AppEnv> {
  const known = keys.map(({ name, sha256 }) => ({ name, digest: Buffer.from(sha256, 'hex') }))
  return async function authenticate(context, next) {
    if (known.length === 0 || isPublic(context.req.path)) return next()
    const [, token] = /^Bearer ([\x21-\x7e]+)$/.exec(context.req.header('authorization') ?? '') ?? []
    if (token === undefined || token.length > maxKeyLength)
      throw new RequestError('unauthorized', 'The API key is missing; expected the header Authorization: Bearer KEY.')
    const digest = createHash('sha256').update(token).digest()
    const match = findKey(known, digest)
    if (!match) throw new RequestError('unauthorized', 'The API key is invalid.')
    context.set('key', match.name)
    return next()
  }
}

/** Compares all keys, each to its end, so that the time does not reveal which one nearly matched. */
export const findKey = (known: readonly KnownKey[], digest: Buffer): KnownKey | undefined =>
  known.filter(key => timingSafeEqual(key.digest, digest))[0]
