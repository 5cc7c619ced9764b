/** Bounds the bytes of all request bodies in memory: many requests within their own limits must not fill it. */
import { RequestError } from '../errors.ts'

export class ByteBudget {
  readonly #limit: number
  #used = 0

  /** @param limit bytes that all bodies together may have */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** Bytes that are taken now. */
  get used(): number {
    return this.#used
  }

  /** @throws RequestError 'too_many_bytes' when the limit would be exceeded */
  take(bytes: number): void {
    if (this.#used + bytes > this.#limit)
      throw new RequestError(
        'too_many_bytes',
        'The bodies of all requests in memory have reached the limit; try again.',
      )
    this.#used += bytes
  }

  release(bytes: number): void {
    this.#used -= bytes
  }
}
