/** Dynamic batching: a queue that hands out what waits in batches, to the first worker that is free. */

export interface Queued {
  /** Items are batched with others of their kind only. */
  kind: string
  /** False once the answer is no longer wanted: the item is dropped. */
  readonly isWanted: boolean
}

interface BatchQueueOptions {
  maxBatchSize: number
  /** Milliseconds that the first item of a batch waits for others while a worker is free; 0 takes what is there. */
  maxDelay: number
}

interface Entry<T> {
  item: T
  since: number
}

export class BatchQueue<T extends Queued> {
  readonly #options: BatchQueueOptions
  #entries: Entry<T>[] = []
  readonly #takers: ((batch: T[] | undefined) => void)[] = []
  #timer: ReturnType<typeof setTimeout> | undefined
  #closed = false

  constructor(options: BatchQueueOptions) {
    this.#options = options
  }

  push(items: readonly T[]): void {
    const since = performance.now()
    for (const item of items) this.#entries.push({ item, since })
    this.#match()
  }

  /** Returns a batch that was not begun; it is the next one. */
  putBack(items: readonly T[]): void {
    this.#entries = items.map(item => ({ item, since: 0 })).concat(this.#entries)
    this.#match()
  }

  /** @returns the next batch, oldest item first, without unwanted ones; undefined once the queue is closed */
  take(): Promise<T[] | undefined> {
    return new Promise(resolve => {
      if (this.#closed) return resolve(undefined)
      this.#takers.push(resolve)
      this.#match()
    })
  }

  /** Ends the queue: those that wait for a batch get undefined. */
  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    for (const take of this.#takers.splice(0)) take(undefined)
  }

  #match(): void {
    clearTimeout(this.#timer)
    this.#entries = this.#entries.filter(({ item }) => item.isWanted)
    while (this.#takers.length > 0 && this.#entries.length > 0) {
      const batch = this.#nextBatch()
      const remaining = (batch[0] as Entry<T>).since + this.#options.maxDelay - performance.now()
      if (batch.length < this.#options.maxBatchSize && remaining > 0) {
        this.#timer = setTimeout(() => this.#match(), remaining)
        return
      }
      const taken = new Set(batch)
      this.#entries = this.#entries.filter(entry => !taken.has(entry))
      this.#takers.shift()?.(batch.map(({ item }) => item))
    }
  }

  #nextBatch(): Entry<T>[] {
    const kind = this.#entries[0]?.item.kind
    const batch: Entry<T>[] = []
    for (const entry of this.#entries) {
      if (batch.length === this.#options.maxBatchSize) break
      if (entry.item.kind === kind) batch.push(entry)
    }
    return batch
  }
}
