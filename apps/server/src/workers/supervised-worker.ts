/** A process that is replaced when it ends, ever more slowly when it ends again and again. */
import type { WorkerProcess } from './worker-process.ts'

interface SupervisedWorkerOptions {
  /** Starts it and makes it ready. */
  start(): Promise<WorkerProcess>
  /** Told of each end that was not asked for, and of each start that failed. */
  onFailure(reason: string, failuresInARow: number): void
  /** Milliseconds before the second start in a row; doubled for each further one. The first is at once. @default 100 */
  backoff?: number
  /** @default 30000 */
  maxBackoff?: number
}

/** Failures in a row from which it counts as failed while it is not there. */
const MANY = 4

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

  /** The process, once there is one that runs; undefined when it has been stopped. */
  async ready(): Promise<WorkerProcess | undefined> {
    return this.#current ?? (await this.#next.promise)
  }

  get running(): boolean {
    return this.#current !== undefined
  }

  get pid(): number | undefined {
    return this.#current?.pid
  }

  /** Whether there is none, and it failed so often that nobody should wait for the next. */
  get failed(): boolean {
    return !this.running && this.#failures >= MANY
  }

  /** Says that it has done what it is for: the next failure is the first again. */
  recordSuccess(): void {
    this.#failures = 0
  }

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
