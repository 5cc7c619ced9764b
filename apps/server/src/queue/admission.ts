/** Who is taken in by a model: as many as its queue holds, each only if its answer can come in time; and the end of them all. */
import { EngineError } from '../engine.ts'
import { Ticket, type TicketOptions } from './ticket.ts'

/** Of its time, that an answer may take by the model's pace, which is a mean: many take longer. */
const safeShare = 0.9

type AdmissionRequest = Omit<TicketOptions, 'onLeftQueue'>

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
   * @param secondsFor the time that so many images take by the model's pace
   * @returns to be released when the request is over
   * @throws EngineError 'queue_full' where the queue holds no more, or would only be answered after the time is up
   */
  admit(request: AdmissionRequest, secondsFor: (images: number) => number): Ticket {
    const { inputs, timeout } = request
    const ahead = this.#waiting + this.#running
    if (this.#waiting + inputs > this.#queueSize)
      throw this.#refusal(
        `and ${inputs} more than its queue of ${this.#queueSize} holds.`,
        secondsFor(this.#waiting) || 1,
      )
    // Work for an answer that comes too late would delay those that do not.
    const seconds = secondsFor(ahead + inputs)
    if (ahead > 0 && seconds * 1000 > safeShare * timeout)
      throw this.#refusal(
        `and by its pace an answer would take ${seconds.toFixed(1)} s, too near to the ${timeout / 1000} s that it may.`,
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

  release(ticket: Ticket): void {
    ticket.end()
    this.#tickets.delete(ticket)
  }

  /** Says that so many images more are being computed. */
  changeRunning(by: number): void {
    this.#running += by
  }

  /** Resolved when no request is left. */
  async idle(): Promise<void> {
    while (this.#tickets.size > 0) await Bun.sleep(5)
  }

  /**
   * Ends every request with the error.
   *
   * @returns how many there were
   */
  failAll(error: EngineError): number {
    for (const ticket of this.#tickets) ticket.fail(error)
    return this.#tickets.size
  }

  #refusal(why: string, seconds: number): EngineError {
    const retryAfter = Math.min(30, Math.max(1, Math.ceil(seconds)))
    return new EngineError('queue_full', `${this.#waiting} images wait for the model, ${why}`, { retryAfter })
  }
}
