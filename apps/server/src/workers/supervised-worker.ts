/** A supervised worker: a process that is restarted when it ends, with exponential backoff when it keeps failing. */
import type { WorkerProcess } from './worker-process.ts'

interface SupervisedWorkerOptions {
  /** Starts a process and makes it ready. */
  start(): Promise<WorkerProcess>
  /** Called for each unexpected end and each failed start. */
  onFailure(reason: string, failuresInARow: number): void
  /** Milliseconds before the second restart in a row, doubled for each further one; the first is immediate. @default 100 */
  backoff?: number
  /** Longest backoff, in milliseconds. @default 30000 */
  maxBackoff?: number
}

/** Failures in a row after which a worker that does not run counts as failed. */
const MAX_FAILURES = 4

export class SupervisedWorker {
  #current: WorkerProcess | undefined
  #stopped = false
  #failures = 0
  #next = Promise.withResolvers<WorkerProcess | undefined>()
  readonly #options: SupervisedWorkerOptions

  /** @param first a process that is ready */
  constructor(first: WorkerProcess, options: SupervisedWorkerOptions) {
    this.#options = options
    this.#adopt(first)
  }

  /** @returns the process, as soon as one runs; undefined once the worker is stopped */
  async ready(): Promise<WorkerProcess | undefined> {
    return this.#current ?? (await this.#next.promise)
  }

  /** Whether a process runs. */
  get running(): boolean {
    return this.#current !== undefined
  }

  /** Id of the process, while one runs. */
  get pid(): number | undefined {
    return this.#current?.pid
  }

  /** Whether no process runs and so many failed in a row that no request should wait for the next. */
  get failed(): boolean {
    return !this.running && this.#failures >= MAX_FAILURES
  }

  /** Resets the failure count after a call that succeeded. */
  recordSuccess(): void {
    this.#failures = 0
  }

  /** Stops the process and the supervision. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#next.resolve(undefined)
    const workerProcess = this.#current
    this.#current = undefined
    await workerProcess?.stop()
  }

  #adopt(workerProcess: WorkerProcess): void {
    this.#current = workerProcess
    this.#next.resolve(workerProcess)
    void workerProcess.exited.then(reason => {
      if (this.#stopped) return
      this.#current = undefined
      this.#next = Promise.withResolvers()
      void this.#replace(reason)
    })
  }

  async #replace(reason: string): Promise<void> {
    const { start, onFailure, backoff = 100, maxBackoff = 30_000 } = this.#options
    for (let why = reason; !this.#stopped; ) {
      this.#failures++
      onFailure(why, this.#failures)
      if (this.#failures > 1) await Bun.sleep(Math.min(maxBackoff, backoff * 2 ** (this.#failures - 2)))
      try {
        const workerProcess = await start()
        if (this.#stopped) return await workerProcess.stop()
        return this.#adopt(workerProcess)
      } catch (error) {
        why = (error as Error).message
      }
    }
  }
}
