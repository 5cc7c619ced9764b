/** A ticket: one request's stay in the engine, its queue timer and deadline, and whether its answer is still wanted. */
import { EngineError } from '../engine.ts'
import { PausableTimer } from './pausable-timer.ts'

export interface TicketOptions {
  /** Inputs of the request; each counts as waiting until its computation begins. */
  inputs: number
  /** Milliseconds until the deadline. */
  timeout: number
  signal?: AbortSignal
  /** Called with the number of inputs that leave the queue, because they are being computed or the request is over. */
  onLeftQueue(inputs: number): void
}

/** Longest delay of a timer, in milliseconds. */
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
  readonly #onAbort = (): void => this.fail(new EngineError('cancelled', 'The client closed the connection.'))

  constructor({ inputs, timeout, signal, onLeftQueue }: TicketOptions) {
    this.#waiting = inputs
    this.#signal = signal
    this.#onLeftQueue = onLeftQueue
    this.#failure.promise.catch(() => {}) // the request may be over before anything awaits it
    this.#deadlineTimer = setTimeout(
      () =>
        this.fail(
          new EngineError('deadline_exceeded', `The deadline of ${timeout} ms passed before there was an answer.`),
        ),
      Math.min(timeout, LONGEST),
    )
    signal?.addEventListener('abort', this.#onAbort)
    if (signal?.aborted) this.#onAbort()
  }

  /** Whether the answer is still wanted. */
  get isWanted(): boolean {
    return !this.#ended
  }

  /** Milliseconds that the queue timer has counted. */
  get waited(): number {
    return this.#queueTimer?.elapsed ?? 0
  }

  /**
   * Starts the queue timer: from now on the inputs may wait so long in total, for a decoder and for the model.
   *
   * @param hangs asked when the time is up: a request behind others is told to retry, one behind a hanging model is not
   */
  limitQueue(milliseconds: number, hangs: () => boolean): void {
    if (this.#ended) return
    const waited = (): EngineError =>
      hangs()
        ? new EngineError('model_hangs', `The request waited ${milliseconds} ms for a model that does not respond.`)
        : new EngineError('queue_timeout', `The request waited ${milliseconds} ms in the queue.`, { retryAfter: 1 })
    this.#queueTimer = new PausableTimer(milliseconds, () => this.fail(waited()))
  }

  /** Pauses the queue timer while an input is being decoded. */
  beginDecoding(): void {
    this.#queueTimer?.pause()
  }

  /** Resumes the queue timer once no input is being decoded. */
  endDecoding(): void {
    this.#queueTimer?.resume()
  }

  /** Takes one input off the queue: its computation begins. The last one stops the queue timer. */
  begin(): void {
    if (this.#ended) return
    this.#onLeftQueue(1)
    if (--this.#waiting === 0) this.#queueTimer?.stop()
  }

  /** Ends the request with the error. */
  fail(error: EngineError): void {
    this.#failure.reject(error)
    this.end()
  }

  /** @throws the error that ends the request before there is an answer */
  async answerOr<T>(answer: Promise<T>): Promise<T> {
    return await Promise.race([this.#failure.promise, answer])
  }

  /** Ends the ticket: frees its timers and its places in the queue. Inputs that have not begun are not computed. */
  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#queueTimer?.stop()
    clearTimeout(this.#deadlineTimer)
    this.#signal?.removeEventListener('abort', this.#onAbort)
    if (this.#waiting > 0) this.#onLeftQueue(this.#waiting)
  }
}
