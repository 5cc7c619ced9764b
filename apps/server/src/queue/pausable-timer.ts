/** A timer that counts only while nothing holds it, so that a request's queue time excludes the time it is worked on. */

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

  /** Milliseconds counted so far. */
  get elapsed(): number {
    return this.#elapsed + (this.#timer ? performance.now() - this.#since : 0)
  }

  /** Stops counting until every caller of `pause` has called `resume`. */
  pause(): void {
    if (this.#holders++ === 0) this.#halt()
  }

  resume(): void {
    if (--this.#holders === 0) this.#start()
  }

  /** Stops it for good. */
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
