/** Requests to a hub or any other server: redirects, the token that must not leave its host, silence that ends, and refusals in plain words. */
import { network } from '#network'
import { rootMessage } from '../../text.ts'

/** A server that cannot be reached, or has too much to do or a fault of its own, in contrast to one that refuses. */
export class HubUnavailableError extends Error {
  override readonly name = 'HubUnavailableError'
}

/** Whom requests go to. */
export interface Server {
  /** What errors call it: 'the hub at https://huggingface.co'. */
  name: string
  /** Sent to the host of the address that is asked for, and to no other. */
  token?: string | undefined
  /** What may help where it cannot be reached. */
  advice: string
}

export interface HubRequest {
  method?: 'GET' | 'HEAD'
  /** The bytes wanted, in the words of the header Range after `bytes=`. @default all */
  range?: string
  /** Ends the request when it has been silent for too long, or the caller gave up. */
  silence: Silence
  /** Whether a redirect is the answer itself; browsers show none. @default no redirect is */
  isAnswer?: (redirect: Response, target: URL) => boolean
}

/** Aborts when nothing has been heard for so many seconds, for a dead connection would otherwise hang for minutes; and with the caller's signal. */
export class Silence {
  readonly #controller = new AbortController()
  readonly #milliseconds: number
  readonly #outer: AbortSignal | undefined
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(seconds: number, signal?: AbortSignal) {
    this.#milliseconds = seconds * 1000
    this.#outer = signal
    signal?.addEventListener('abort', this.#giveUp)
    if (signal?.aborted) this.#giveUp()
    this.heard()
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  heard(): void {
    clearTimeout(this.#timer)
    const reason = new Error(`nothing was heard for ${this.#milliseconds / 1000} s`)
    this.#timer = setTimeout(() => this.#controller.abort(reason), this.#milliseconds)
  }

  end(): void {
    clearTimeout(this.#timer)
    this.#outer?.removeEventListener('abort', this.#giveUp)
  }

  /** @throws the caller's reason, when it gave up */
  throwIfGivenUp(): void {
    this.#outer?.throwIfAborted()
  }

  readonly #giveUp = (): void => this.#controller.abort(this.#outer?.reason)
}

/**
 * Asks for a URL, following redirects; the token stays with the host it was meant for.
 *
 * @throws HubUnavailableError when no answer comes
 */
export async function ask(
  server: Server,
  url: string,
  { method = 'GET', range, silence, isAnswer = () => false }: HubRequest,
): Promise<Response> {
  let current = new URL(url)
  for (let hops = 0; hops <= 5; hops++) {
    const headers: Record<string, string> = {
      // Else sizes are those of compressed bytes, and ranges cannot be had. A browser does not let it be said.
      ...(network.seesRedirects && { 'accept-encoding': 'identity' }),
      ...(server.token && current.origin === new URL(url).origin && { authorization: `Bearer ${server.token}` }),
      ...(range && { range: `bytes=${range}` }),
    }
    const redirect = network.seesRedirects ? 'manual' : 'follow'
    // Files are kept in a store of their own: the browser's would hold them a second time, and serve stale ones.
    const init: RequestInit = { method, headers, redirect, cache: 'no-store', signal: silence.signal }
    const response = await send(server, current, init, silence)
    silence.heard()
    const location = response.headers.get('location')
    if (response.status < 300 || response.status >= 400 || !location) return response
    const target = new URL(location, current)
    if (isAnswer(response, target)) return response
    await response.body?.cancel()
    current = target
  }
  throw new Error(`${url} redirects more than 5 times.`)
}

async function send({ name, advice }: Server, url: URL, init: RequestInit, silence: Silence): Promise<Response> {
  try {
    return await network.fetch(url, init)
  } catch (error) {
    silence.throwIfGivenUp()
    const proxy = network.proxyVariable(url)
    throw new HubUnavailableError(
      `Cannot reach ${name}${proxy ? ` through ${proxy}` : ''} (${rootMessage(error)}). ${advice}`,
    )
  }
}

/** The error of an answer of 400 or more: with the server's own troubles, what the cache has will do. */
export function failure(status: number, message: string): Error {
  const isUnavailable = status === 408 || status === 429 || status >= 500
  return isUnavailable ? new HubUnavailableError(message) : new Error(message)
}

/** A checksum, version or name that a server calls a content by, without its quotes. */
export const etagOf = (headers: Headers, name: string = 'etag'): string =>
  (headers.get(name) ?? '').replace(/^W\//, '').replaceAll('"', '')

/** Bytes of the body as it will arrive; undefined where the header is missing, or counts compressed bytes. */
export function announcedSize({ headers }: Response, header: string = 'content-length'): number | undefined {
  const encoding = headers.get('content-encoding')
  if (header === 'content-length' && encoding !== null && encoding !== 'identity') return undefined
  const text = headers.get(header) ?? ''
  return /^\d+$/.test(text) ? Number(text) : undefined
}
