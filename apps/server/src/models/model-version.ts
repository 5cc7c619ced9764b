/** One content of a model folder, loaded: its processes, what waits for them, and who still uses it. */

import { EngineError, type EngineOutput } from '../engine.ts'
import type { Header } from '../ipc/framing.ts'
import { BatchQueue, type Queued } from '../queue/batch-queue.ts'
import {
  type ComputeReply,
  inputLayout,
  type LoadedDescription,
  type PreparedInput,
  type Purpose,
  splitOutputs,
} from '../workers/model-calls.ts'
import { SupervisedWorker } from '../workers/supervised-worker.ts'
import { WorkerProcess } from '../workers/worker-process.ts'
import type { ResolvedEngineOptions, ResolvedModelOptions } from './options.ts'

export interface VersionOptions {
  model: ResolvedModelOptions
  engine: ResolvedEngineOptions
  signal?: AbortSignal
}

/** One image to be computed. */
export interface Job extends Purpose {
  input: PreparedInput
  readonly isWanted: boolean
  /** Told that its batch begins. */
  begin(): void
  /** Told once, with the milliseconds that its batch took. */
  settle(result: EngineOutput | EngineError, compute: number): void
}

type QueuedJob = Job & Queued

/** Times of what batches take of late after which one is said to hang. */
const OVERDUE = 10

export class ModelVersion {
  readonly description: LoadedDescription
  readonly #options: VersionOptions
  readonly #queue: BatchQueue<QueuedJob>
  readonly #workers: SupervisedWorker[]
  readonly #memory = new Map<SupervisedWorker, number>()
  /** When the batch began that each process is at, by performance.now(). */
  readonly #begun = new Map<SupervisedWorker, number>()
  #users = 0
  #onUnused: (() => void) | undefined
  #secondsPerBatch = 0

  private constructor(options: VersionOptions, ready: Ready[]) {
    const { model, engine } = options
    this.#options = options
    const [{ description }] = ready as [Ready]
    this.description = description
    this.#queue = new BatchQueue(model)
    const start = async (): Promise<WorkerProcess> => (await startWorker(options, description.version)).workerProcess
    const onFailure = (reason: string, failuresInARow: number): void =>
      engine.onEvent({ event: 'worker_failed', model: model.name, reason, failuresInARow })
    this.#workers = ready.map(
      ({ workerProcess }) => new SupervisedWorker(workerProcess, { start, onFailure, backoff: engine.backoff }),
    )
    this.#workers.forEach((worker, i) => {
      this.#memory.set(worker, ready[i]?.description.memory ?? 0)
      void this.#work(worker)
    })
  }

  /** @throws EngineError with why the folder cannot be served */
  static async load(options: VersionOptions): Promise<ModelVersion> {
    const starting = Array.from({ length: options.model.workers }, () => startWorker(options))
    const results = await Promise.allSettled(starting)
    const failed = results.find(result => result.status === 'rejected')
    const ready = results.filter(result => result.status === 'fulfilled').map(result => result.value)
    const versions = new Set(ready.map(({ description }) => description.version))
    if (!failed && versions.size === 1) return new ModelVersion(options, ready)
    for (const { workerProcess } of ready) workerProcess.kill('another process of its model failed')
    throw failed?.reason ?? new EngineError('model_failed', 'The model folder changed while it was being loaded.')
  }

  get processes(): number[] {
    return this.#workers.flatMap(worker => worker.pid ?? [])
  }

  /** Bytes its processes had resident when they answered last. */
  get memory(): number {
    return [...this.#memory.values()].reduce((sum, bytes) => sum + bytes, 0)
  }

  /** Whether any of its processes runs; one whose model computes no numbers does not, whatever it was sent. */
  get healthy(): boolean {
    return this.#workers.some(worker => worker.running)
  }

  /** Whether all its processes have failed again and again. */
  get failed(): boolean {
    return this.#workers.every(worker => worker.failed)
  }

  /**
   * Whether each of its processes is at a batch for longer than an image may wait, and far longer than batches take: it
   * is not that others are before.
   */
  get hangs(): boolean {
    const longest = Math.max(this.#options.engine.queueTimeout, OVERDUE * this.#secondsPerBatch * 1000)
    const now = performance.now()
    // By a timer's grain: who came as the batch began waits as long as it has been computed.
    const isOverdue = (worker: SupervisedWorker): boolean => now - (this.#begun.get(worker) ?? now) > longest - 10
    return this.#secondsPerBatch > 0 && this.#workers.every(isOverdue)
  }

  /** Seconds until so many images are computed, in full batches as they are when many wait, by the pace of late. */
  secondsFor(images: number): number {
    const batches = Math.ceil(images / this.#options.model.maxBatchSize)
    return (batches * this.#secondsPerBatch) / this.#workers.length
  }

  /** Keeps the version from being stopped until it is released. */
  retain(): void {
    this.#users++
  }

  release(): void {
    if (--this.#users === 0) this.#onUnused?.()
  }

  /** Takes the jobs into the queue, all at once. */
  push(jobs: readonly Job[]): void {
    this.#queue.push(jobs.map(job => Object.assign(job, { kind: kindOf(job) })))
  }

  /** Ends its processes once nobody uses it. */
  async drain(): Promise<void> {
    if (this.#users > 0) await new Promise<void>(resolve => (this.#onUnused = resolve))
    await this.stop()
  }

  async stop(): Promise<void> {
    this.#queue.close()
    await Promise.all(this.#workers.map(worker => worker.stop()))
  }

  async #work(worker: SupervisedWorker): Promise<void> {
    for (;;) {
      const workerProcess = await worker.ready()
      if (!workerProcess) return
      const batch = await this.#queue.take()
      if (!batch) return
      if (workerProcess.ended) this.#queue.putBack(batch)
      else {
        for (const job of batch) job.begin()
        this.#begun.set(worker, performance.now())
        await this.#compute(batch, workerProcess, worker)
        this.#begun.delete(worker)
      }
    }
  }

  /** A batch that fails is computed one by one, so that what is wrong with one image harms no other. */
  async #compute(batch: readonly QueuedJob[], workerProcess: WorkerProcess, worker: SupervisedWorker): Promise<void> {
    const { model, engine } = this.#options
    const started = performance.now()
    const report = (error?: EngineError): number => {
      const compute = performance.now() - started
      engine.onEvent({ event: 'batch', model: model.name, size: batch.length, compute, error: error?.code })
      return compute
    }
    try {
      const { outputs, modelIsNonFinite } = await this.#call(batch, workerProcess, worker)
      const compute = report(modelIsNonFinite ? nonFiniteModel() : undefined)
      if (modelIsNonFinite) workerProcess.kill('its model computes values that are no finite numbers')
      else {
        this.#secondsPerBatch = 0.8 * this.#secondsPerBatch + (0.2 * compute) / 1000
        worker.recordSuccess()
      }
      for (const [i, job] of batch.entries())
        settle(job, outputs[i] ?? (modelIsNonFinite ? nonFiniteModel() : overflow(job.input)), compute)
    } catch (thrown) {
      const error = thrown as EngineError
      const compute = report(error)
      const again = batch.length > 1 && error.code !== 'worker_failed'
      for (const job of batch)
        if (again && job.isWanted) await this.#compute([job], workerProcess, worker)
        else settle(job, error, compute)
    }
  }

  async #call(
    batch: readonly QueuedJob[],
    workerProcess: WorkerProcess,
    worker: SupervisedWorker,
  ): Promise<{ outputs: (EngineOutput | null)[]; modelIsNonFinite: boolean }> {
    const { inputs, bodies } = inputLayout(batch)
    const { header, body } = await workerProcess.call('compute', { inputs }, bodies, this.#options.engine.watchdog)
    const { layout, memory, modelIsNonFinite } = header as unknown as ComputeReply
    this.#memory.set(worker, memory)
    const outputs = splitOutputs(layout, body)
    if (outputs.length === batch.length) return { outputs, modelIsNonFinite }
    workerProcess.kill(`it gave ${outputs.length} answers to ${batch.length} images`)
    throw new EngineError('worker_failed', `The model gave ${outputs.length} answers to ${batch.length} images.`)
  }
}

const nonFiniteModel = (): EngineError =>
  new EngineError('non_finite_output', 'The model computes values that are no finite numbers; it is loaded anew.')

const overflow = (input: PreparedInput): EngineError =>
  new EngineError(
    'input_overflows',
    `The model's values overflow at this ${'pixels' in input ? 'image' : 'input'}${'pixels' in input ? '' : '; expected values as the processor normalizes them, near 0'}.`,
  )

function settle(job: Job, ...result: Parameters<Job['settle']>): void {
  job.settle(...result)
  if ('pixels' in job.input) job.input.free?.()
}

/** Features cost nothing beside the logits; attention has every layer write out its probabilities. */
const kindOf = ({ task, input }: Job): string =>
  `${task === 'explain' ? 'explain' : 'plain'} ${'pixels' in input ? 'pixels' : 'pixelValues'}`

interface Ready {
  workerProcess: WorkerProcess
  description: LoadedDescription
}

/** @param version the content that the folder must have */
async function startWorker({ model, engine, signal }: VersionOptions, version?: string): Promise<Ready> {
  const { folder, backend, precision, threads, maxBatchSize } = model
  const workerProcess = await WorkerProcess.start({ module: engine.modelModule, timeout: engine.loadTimeout, signal })
  try {
    const settings = { folder, backend, precision, threads, maxBatchSize }
    const { header } = await workerProcess.call('load', { settings } satisfies Header, [], engine.loadTimeout)
    const description = header.description as LoadedDescription
    if (version && description.version !== version)
      throw new EngineError('model_failed', 'The model folder has changed since it was loaded; reload the model.')
    return { workerProcess, description }
  } catch (error) {
    workerProcess.kill('its model cannot be loaded')
    throw error
  }
}
