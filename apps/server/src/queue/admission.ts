/** Admission control: bounds a model's queue, rejects requests that cannot meet their deadline, and ends them all at once. */
import { EngineError } from '../engine.ts'
import { Ticket, type TicketOptions } from './ticket.ts'

/** Share of a request's deadline that its estimated answer time may take: the estimate is a mean, and many take longer. */
const safeShare = 0.9

type AdmissionRequest = Omit<TicketOptions, 'onLeftQueue'>

/** The admission control of one model; each admitted request holds a ticket. */
export class Admission {
  readonly #queueSize: number
  readonly #tickets = new Set<Ticket>()
  #waiting = 0
  #running = 0

  /** @param queueSize images that may wait */
  constructor(queueSize: number) {
    this.#queueSize = queueSize
  }

  /** Images waiting and being computed. */
  get load(): { queued: number; running: number } {
    return { queued: this.#waiting, running: this.#running }
  }

  /**
   * @param secondsFor estimates the seconds in which the model computes a number of images
   * @returns a ticket, to be released when the request is over
   * @throws EngineError 'queue_full' when the queue is full, or the answer would come after the request's deadline
   */
  admit(request: AdmissionRequest, secondsFor: (images: number) => number): Ticket {
    const { inputs, timeout } = request
    const ahead = this.#waiting + this.#running
    if (this.#waiting + inputs > this.#queueSize)
      throw this.#refusal(
        `and its queue of ${this.#queueSize} cannot hold ${inputs} more.`,
        secondsFor(this.#waiting) || 1,
      )
    // An answer that comes too late would delay others that could still be in time.
    const seconds = secondsFor(ahead + inputs)
    if (ahead > 0 && seconds * 1000 > safeShare * timeout)
      throw this.#refusal(
        `and an answer would take about ${seconds.toFixed(1)} s, too close to the deadline of ${timeout / 1000} s.`,
        seconds,
      )
    this.#waiting += inputs
    const onLeftQueue = (left: number): void => {
      this.#waiting -= left
    }
    const ticket = new Ticket({ ...request, onLeftQueue })
    this.#tickets.add(ticket)
    return ticket
  }

  /** Ends the ticket; the request is over, however it ended. */
  release(ticket: Ticket): void {
    ticket.end()
    this.#tickets.delete(ticket)
  }

  /** Counts images whose computation begins (positive) or ends (negative). */
  changeRunning(by: number): void {
    this.#running += by
  }

  /** Resolves when no request is left. */
  async idle(): Promise<void> {
    while (this.#tickets.size > 0) await Bun.sleep(5)
  }

  /**
   * Ends every request with the error.
   *
   * @returns the number of requests
   */
  failAll(error: EngineError): number {
    for (const ticket of this.#tickets) ticket.fail(error)
    return this.#tickets.size
  }

  #refusal(why: string, seconds: number): EngineError {
    const retryAfter = Math.min(30, Math.max(1, Math.ceil(seconds)))
    return new EngineError('queue_full', `${this.#waiting} images are waiting for the model, ${why}`, { retryAfter })
  }
}
