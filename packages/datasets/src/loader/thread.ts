/** A thread as the pool and its worker see it; the package's `#threads` is the module that has them where it runs. */

export interface Thread {
  post(message: unknown, transfer?: readonly ArrayBuffer[]): void
  /** Whether it keeps the process alive; it does not when it starts. */
  hold(busy: boolean): void
  /** Ends it, whatever it does; afterwards no event comes. */
  terminate(): Promise<void>
}

export interface ThreadEvents {
  onMessage(message: unknown): void
  /** It has ended by itself, or somebody ended it; `why` is the end of a sentence. */
  onEnd(why: string): void
}

export type StartThread = (events: ThreadEvents) => Thread

/** The other end, in the thread. */
export interface Parent {
  post(message: unknown, transfer?: readonly ArrayBuffer[]): void
  onMessage(listener: (message: unknown) => void): void
}
