/** Requests to a hub: redirects, the token that must not leave it, silence that ends, and refusals in plain words. */
import { rootMessage } from '../../text.ts'
import type { HubEnvironment } from './hub-cache.ts'
import { proxiedFetch, proxyVariable, statusLine } from './proxied-fetch.ts'

/** A hub that cannot be reached, or has too much to do or a fault of its own, in contrast to one that refuses. */
export class HubUnavailableError extends Error {
  override readonly name = 'HubUnavailableError'
}

export interface HubRequest {
  method?: 'GET' | 'HEAD'
  /** First byte wanted. @default 0 */
  from?: number
  /** Ends the request when it has been silent for too long. */
  silence: Silence
  /** Whether a redirect is the answer itself. @default no redirect is */
  isAnswer?: (redirect: Response, target: URL) => boolean
}

/** Aborts when nothing has been heard for so many seconds: a dead connection would otherwise hang for minutes. */
export class Silence {
  readonly #controller = new AbortController()
  readonly #milliseconds: number
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(seconds: number) {
    this.#milliseconds = seconds * 1000
    this.heard()
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  heard(): void {
    this.end()
    const reason = new Error(`nothing was heard for ${this.#milliseconds / 1000} s`)
    this.#timer = setTimeout(() => this.#controller.abort(reason), this.#milliseconds)
  }

  end(): void {
    clearTimeout(this.#timer)
  }
}

/**
 * Asks for a URL of the hub, following redirects; the token stays with the host it was meant for.
 *
 * @throws HubUnavailableError when no answer comes
 */
export async function ask(
  { endpoint, token }: HubEnvironment,
  url: string,
  { method = 'GET', from = 0, silence, isAnswer = () => false }: HubRequest,
): Promise<Response> {
  let current = new URL(url)
  for (let hops = 0; hops <= 5; hops++) {
    const headers: Record<string, string> = {
      'accept-encoding': 'identity', // else sizes are those of compressed bytes, and ranges cannot be had
      ...(token && current.origin === new URL(url).origin && { authorization: `Bearer ${token}` }),
      ...(from > 0 && { range: `bytes=${from}-` }),
    }
    const response = await send(current, endpoint, { method, headers, redirect: 'manual', signal: silence.signal })
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

async function send(url: URL, endpoint: string, init: RequestInit): Promise<Response> {
  try {
    return await proxiedFetch(url, init)
  } catch (error) {
    const proxy = proxyVariable(url)
    throw new HubUnavailableError(
      `Cannot reach the hub at ${endpoint}${proxy ? ` through ${proxy}` : ''} (${rootMessage(error)}). Give a local model folder instead, or set HF_ENDPOINT to a mirror.`,
    )
  }
}

/** What an answer of 400 or more means, and what to do. */
export function refusal(response: Response, id: string, revision: string, endpoint: string): Error {
  const { status, headers } = response
  const error = headers.get('x-error-message')
  const answer = error ? `${status} ${error}` : statusLine(response)
  if (status === 401 || status === 403)
    return new Error(
      `${endpoint} refuses ${id} (${answer}): it does not exist, or it is private or gated and needs HF_TOKEN.`,
    )
  if (status === 404 && headers.get('x-error-code') === 'RevisionNotFound')
    return new Error(`${id} has no revision '${revision}'.`)
  if (status === 404) return new Error(`${endpoint} has no model ${id}.`)
  return failure(status, `${endpoint} answered ${answer} for ${id}.`)
}

/** The error of an answer of 400 or more: with the hub's own troubles, what the cache has will do. */
export function failure(status: number, message: string): Error {
  const isUnavailable = status === 408 || status === 429 || status >= 500
  return isUnavailable ? new HubUnavailableError(message) : new Error(message)
}
