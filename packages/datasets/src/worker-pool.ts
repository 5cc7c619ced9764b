/** Makes batches in worker threads. The pool owns its threads; a batch's memory is handed over, not copied. */
import { Worker } from 'node:worker_threads'
import type { BatchMaker, BatchRequest } from './batch-maker.ts'
import type { Batch, DatasetSource, TransformSpec } from './types.ts'

/** What a worker is started with. */
export interface WorkerSetup {
  source: DatasetSource
  transforms: readonly TransformSpec[]
  batchTransforms: readonly TransformSpec[]
  seed: number
}

export interface WorkerRequest {
  id: number
  request: BatchRequest
}

export type WorkerReply = { id: number; batch: Batch } | { id: number; error: string }

interface PoolWorker {
  thread: Worker
  /** Requests it has not answered. */
  load: number
}

interface Pending {
  worker: PoolWorker
  resolve: (batch: Batch) => void
  reject: (error: Error) => void
}

const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
const workerUrl = new URL(`./loader-worker.${extension}`, import.meta.url)

/** Starts `count` threads. Idle threads do not keep the process alive. */
export function createWorkerPool(count: number, setup: WorkerSetup): BatchMaker {
  const pending = new Map<number, Pending>()
  const workers = Array.from({ length: count }, start)
  let nextId = 0
  let failure: Error | undefined

  function start(): PoolWorker {
    // Flags of the caller's process are not for the threads: Node refuses some there, such as --input-type.
    const worker: PoolWorker = { thread: new Worker(workerUrl, { workerData: setup, execArgv: [] }), load: 0 }
    worker.thread.on('message', settle)
    worker.thread.on('error', (error: Error) => fail(new Error(`A worker of the loader failed: ${error.message}`)))
    worker.thread.on('exit', code => fail(new Error(`A worker of the loader stopped, with exit code ${code}.`)))
    worker.thread.unref()
    return worker
  }

  function settle(reply: WorkerReply): void {
    const request = pending.get(reply.id)
    if (!request) return
    pending.delete(reply.id)
    if (--request.worker.load === 0) request.worker.thread.unref()
    if ('batch' in reply) request.resolve(reply.batch)
    else request.reject(new Error(reply.error))
  }

  /** Without one of its threads a pool would be slower than the caller asked for, so it says so and stops. */
  function fail(error: Error): void {
    failure ??= error
    for (const { reject } of pending.values()) reject(failure)
    pending.clear()
  }

  function make(request: BatchRequest): Promise<Batch> {
    if (failure) return Promise.reject(failure)
    // Requests wait in the threads' own queues, so threads go on while the caller's thread is busy.
    const worker = workers.reduce((least, other) => (other.load < least.load ? other : least))
    const id = nextId++
    if (worker.load++ === 0) worker.thread.ref()
    return new Promise((resolve, reject) => {
      pending.set(id, { worker, resolve, reject })
      worker.thread.postMessage({ id, request } satisfies WorkerRequest)
    })
  }

  async function close(): Promise<void> {
    fail(new Error('The loader is closed.'))
    await Promise.all(workers.map(({ thread }) => thread.terminate()))
  }

  return { make, close }
}
