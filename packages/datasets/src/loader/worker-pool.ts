/**
 * Makes batches in worker threads, by handing out requests ahead: threads go on while the caller's thread is busy.
 *
 * The pool owns its threads. One that ends, or answers nothing for too long, is replaced and its requests are made again:
 * a batch depends on its request alone, so nobody can tell.
 */
import { listNames } from '@vitral/core/text'
import { startThread } from '#threads'
import type { Batch, DatasetSource, TransformSpec } from '../types.ts'
import type { BatchMaker, BatchRequest } from './batch-maker.ts'
import type { CacheMemory } from './example-cache.ts'
import { type Memory, transferred } from './memory.ts'
import { fromSent, type SentError } from './sent-error.ts'
import type { StartThread, Thread } from './thread.ts'

/** What a worker is started with. */
export interface WorkerSetup {
  source: DatasetSource
  transforms: readonly TransformSpec[]
  batchTransforms: readonly TransformSpec[]
  seed: number
  shared: boolean
  cache?: CacheMemory
}

export type WorkerRequest = BatchRequest & { memory?: Memory }

export interface WorkerMessage {
  setup?: WorkerSetup
  request?: WorkerRequest
}

/** In the order of the requests. */
export interface WorkerReply {
  batch?: Batch
  error?: SentError
}

export interface WorkerPoolOptions {
  workers: number
  /** For one batch; see LoaderOptions. */
  timeoutSeconds: number
  /** Another way to start a thread, for tests. */
  start?: StartThread
}

interface Job {
  request: WorkerRequest
  /** Threads that ended while they made it. */
  ended: number
  resolve: (batch: Batch) => void
  reject: (error: Error) => void
}

interface Member {
  /** Started with its first job, and after it has ended with the next. */
  thread?: Thread
  /** The first is being made. */
  jobs: Job[]
  /** Ticks of the watch since the last reply. */
  silent: number
}

/** So often a batch may end its thread. */
const mostEnded = 3
/** The caller's thread may be busy for long, with replies waiting unread: only ticks it had time for tell of silence. */
const ticks = 4

export function createWorkerPool(
  setup: WorkerSetup,
  { workers, timeoutSeconds, start = startThread }: WorkerPoolOptions,
): BatchMaker {
  const members = Array.from({ length: workers }, (): Member => ({ jobs: [], silent: 0 }))
  let watch: ReturnType<typeof setInterval> | undefined

  function make(request: BatchRequest, memory?: Memory): Promise<Batch> {
    const member = members.reduce((least, other) => (other.jobs.length < least.jobs.length ? other : least))
    return new Promise((resolve, reject) => {
      const job: Job = { request: { ...request, memory }, ended: 0, resolve, reject }
      if (member.jobs.push(job) === 1) member.silent = 0
      if (member.thread) post(member.thread, job)
      else restart(member)
      update(member)
    })
  }

  /** Starts the member's thread and gives it all that is to be made. */
  function restart(member: Member): void {
    const thread = start({
      onMessage: reply => member.thread === thread && settle(member, reply as WorkerReply),
      onEnd: why => member.thread === thread && replace(member, why),
    })
    member.thread = thread
    thread.post({ setup } satisfies WorkerMessage)
    for (const job of member.jobs) post(thread, job)
  }

  function post(thread: Thread, { request }: Job): void {
    thread.post({ request } satisfies WorkerMessage, transferred(request.memory))
    // Whoever is asked next gets other memory: the thread before might write yet.
    delete request.memory
  }

  function settle(member: Member, { batch, error }: WorkerReply): void {
    const job = member.jobs.shift()
    member.silent = 0
    update(member)
    if (batch) job?.resolve(batch)
    else job?.reject(fromSent(error as SentError))
  }

  /** The first of an ended thread's jobs may be the cause; the others have not been looked at. */
  function replace(member: Member, why: string): void {
    member.thread = undefined
    member.silent = 0
    const [first] = member.jobs
    if (first && ++first.ended === mostEnded) {
      member.jobs.shift()
      const { epoch, indices } = first.request
      first.reject(
        new Error(
          `A worker of the loader ended ${mostEnded} times while it made the batch of examples ${listNames(Array.from(indices, String), 10)} (epoch ${epoch}): ${why}.`,
        ),
      )
    }
    if (member.jobs.length > 0) restart(member)
    update(member)
  }

  /** Threads without work do not keep the process alive. */
  function update(member: Member): void {
    member.thread?.hold(member.jobs.length > 0)
    const busy = members.some(({ jobs }) => jobs.length > 0)
    if (busy) watch ??= setInterval(look, (timeoutSeconds * 1000) / ticks)
    else {
      clearInterval(watch)
      watch = undefined
    }
  }

  function look(): void {
    for (const member of members) {
      if (!member.thread || member.jobs.length === 0 || ++member.silent <= ticks) continue
      void member.thread.terminate()
      replace(member, `it answered nothing for ${timeoutSeconds} s; raise timeoutSeconds if a batch may take longer`)
    }
  }

  async function stop(reason: Error): Promise<void> {
    const ended = members.map(async member => {
      const { thread, jobs } = member
      Object.assign(member, { thread: undefined, jobs: [] } satisfies Partial<Member>)
      for (const { reject } of jobs) reject(reason)
      await thread?.terminate()
    })
    clearInterval(watch)
    watch = undefined
    await Promise.all(ended)
  }

  return { make, stop }
}
