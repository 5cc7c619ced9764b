/** A timer that counts only while nothing holds it: of a request, the time that it waits and not what is done for it meanwhile. */

export class PausableTimer {
  #elapsed = 0
  #since = performance.now()
  #holders = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  readonly #milliseconds: number
  readonly #onOver: () => void

  constructor(milliseconds: number, onOver: () => void) {
    this.#milliseconds = milliseconds
    this.#onOver = onOver
    this.#start()
  }

  /** Milliseconds that were counted. */
  get elapsed(): number {
    return this.#elapsed + (this.#timer ? performance.now() - this.#since : 0)
  }

  /** Goes on once each of those that hold it has resumed it. */
  pause(): void {
    if (this.#holders++ === 0) this.#halt()
  }

  resume(): void {
    if (--this.#holders === 0) this.#start()
  }

  /** For good. */
  stop(): void {
    this.#holders++
    this.#halt()
  }

  #start(): void {
    this.#since = performance.now()
    this.#timer = setTimeout(this.#onOver, this.#milliseconds - this.#elapsed)
  }

  #halt(): void {
    this.#elapsed = this.elapsed
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
