/** One request's stay in the engine: how long it may wait, and whether anybody still waits for it. */
import { EngineError } from '../engine.ts'
import { PausableTimer } from './pausable-timer.ts'

export interface TicketOptions {
  inputs: number
  /** Milliseconds until the answer must be there. */
  timeout: number
  signal?: AbortSignal
  /** Told when inputs no longer wait: they are being computed, or the request is over. */
  onLeftQueue(inputs: number): void
}

/** What a timer can wait at most. */
const LONGEST = 2 ** 31 - 1

export class Ticket {
  /** Inputs whose computation has not begun. */
  #waiting: number
  #ended = false
  #queueTimer: PausableTimer | undefined
  readonly #deadlineTimer: ReturnType<typeof setTimeout>
  readonly #failure = Promise.withResolvers<never>()
  readonly #signal: AbortSignal | undefined
  readonly #onLeftQueue: TicketOptions['onLeftQueue']
  readonly #onAbort = (): void => this.fail(new EngineError('cancelled', 'The client has gone.'))

  constructor({ inputs, timeout, signal, onLeftQueue }: TicketOptions) {
    this.#waiting = inputs
    this.#signal = signal
    this.#onLeftQueue = onLeftQueue
    this.#failure.promise.catch(() => {}) // the request may be over before anybody listens
    this.#deadlineTimer = setTimeout(
      () => this.fail(new EngineError('deadline_exceeded', `There was no answer within ${timeout} ms.`)),
      Math.min(timeout, LONGEST),
    )
    signal?.addEventListener('abort', this.#onAbort)
    if (signal?.aborted) this.#onAbort()
  }

  get isWanted(): boolean {
    return !this.#ended
  }

  /** Milliseconds of the queue's that it has waited. */
  get waited(): number {
    return this.#queueTimer?.elapsed ?? 0
  }

  /**
   * From now on the inputs may wait for so many milliseconds, in all: for a decoder and for the model.
   *
   * @param hangs asked when they are over: who waits behind others may come again, who waits for what hangs is not told so
   */
  limitQueue(milliseconds: number, hangs: () => boolean): void {
    if (this.#ended) return
    const waited = (): EngineError =>
      hangs()
        ? new EngineError('model_hangs', `It waited ${milliseconds} ms for a model that does not answer.`)
        : new EngineError('queue_timeout', `It waited ${milliseconds} ms without being begun.`, { retryAfter: 1 })
    this.#queueTimer = new PausableTimer(milliseconds, () => this.fail(waited()))
  }

  /** Says that one input is being decoded: until it no more is, the request does not wait, not for those before it. */
  beginDecoding(): void {
    this.#queueTimer?.pause()
  }

  endDecoding(): void {
    this.#queueTimer?.resume()
  }

  /** Says that one input is being computed. */
  begin(): void {
    if (this.#ended) return
    this.#onLeftQueue(1)
    if (--this.#waiting === 0) this.#queueTimer?.stop()
  }

  fail(error: EngineError): void {
    this.#failure.reject(error)
    this.end()
  }

  /** @throws what ends the request before there is an answer */
  async answerOr<T>(answer: Promise<T>): Promise<T> {
    return await Promise.race([this.#failure.promise, answer])
  }

  /** Frees what it holds; nothing is computed for it any more. */
  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#queueTimer?.stop()
    clearTimeout(this.#deadlineTimer)
    this.#signal?.removeEventListener('abort', this.#onAbort)
    if (this.#waiting > 0) this.#onLeftQueue(this.#waiting)
  }
}
