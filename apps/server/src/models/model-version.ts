/** One version of a model: the content of its folder, loaded by workers, with a queue and a count of its users. */

import { EngineError, type EngineOutput } from '../engine.ts'
import { BatchQueue, type Queued } from '../queue/batch-queue.ts'
import { inputLayout, type PreparedInput, splitOutputs } from '../workers/model-calls.ts'
import type { LoadedDescription, Purpose } from '../workers/protocol.ts'
import { SupervisedWorker } from '../workers/supervised-worker.ts'
import { WorkerProcess } from '../workers/worker-process.ts'
import type { ResolvedEngineOptions, ResolvedModelOptions } from './options.ts'

export interface VersionOptions {
  model: ResolvedModelOptions
  engine: ResolvedEngineOptions
  signal?: AbortSignal
}

/** One input to be computed. */
export interface Job extends Purpose {
  input: PreparedInput
  readonly isWanted: boolean
  /** Called when its batch begins. */
  begin(): void
  /** Called once with the result and the milliseconds that its batch took. */
  settle(result: EngineOutput | EngineError, compute: number): void
}

type QueuedJob = Job & Queued

/** Multiple of the recent batch time after which a batch is said to hang. */
const OVERDUE = 10

export class ModelVersion {
  readonly description: LoadedDescription
  readonly #options: VersionOptions
  readonly #queue: BatchQueue<QueuedJob>
  readonly #workers: SupervisedWorker[]
  readonly #memory = new Map<SupervisedWorker, number>()
  /** Start of each worker's current batch, by performance.now(). */
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

  /** @throws EngineError that says why the folder cannot be served */
  static async load(options: VersionOptions): Promise<ModelVersion> {
    const starting = Array.from({ length: options.model.workers }, () => startWorker(options))
    const results = await Promise.allSettled(starting)
    const failed = results.find(result => result.status === 'rejected')
    const ready = results.filter(result => result.status === 'fulfilled').map(result => result.value)
    const versions = new Set(ready.map(({ description }) => description.version))
    if (!failed && versions.size === 1) return new ModelVersion(options, ready)
    for (const { workerProcess } of ready) workerProcess.kill('another worker of its model failed')
    throw failed?.reason ?? new EngineError('model_failed', 'The model folder changed while it was being loaded.')
  }

  get processes(): number[] {
    return this.#workers.flatMap(worker => worker.pid ?? [])
  }

  /** Resident bytes of the workers, as of their last answer. */
  get memory(): number {
    return [...this.#memory.values()].reduce((sum, bytes) => sum + bytes, 0)
  }

  /** Whether any worker runs. A worker whose model gives non-finite values for a known good input is killed. */
  get healthy(): boolean {
    return this.#workers.some(worker => worker.running)
  }

  /** Whether all workers keep failing. */
  get failed(): boolean {
    return this.#workers.every(worker => worker.failed)
  }

  /**
   * Whether every worker is at a batch for longer than an image may wait and far longer than batches take: then the model
   * hangs, and the queue is not merely long.
   */
  get hangs(): boolean {
    const longest = Math.max(this.#options.engine.queueTimeout, OVERDUE * this.#secondsPerBatch * 1000)
    const now = performance.now()
    // 10 ms for the timer's resolution: an image that came as the batch began has waited as long as the batch runs.
    const isOverdue = (worker: SupervisedWorker): boolean => now - (this.#begun.get(worker) ?? now) > longest - 10
    return this.#secondsPerBatch > 0 && this.#workers.every(isOverdue)
  }

  /** Estimates the seconds in which a number of images is computed in full batches, by the recent batch time. */
  secondsFor(images: number): number {
    const batches = Math.ceil(images / this.#options.model.maxBatchSize)
    return (batches * this.#secondsPerBatch) / this.#workers.length
  }

  /** Registers a user: the version is not stopped before it is released. */
  retain(): void {
    this.#users++
  }

  /** Removes a user. */
  release(): void {
    if (--this.#users === 0) this.#onUnused?.()
  }

  /** Puts the jobs into the queue together. */
  push(jobs: readonly Job[]): void {
    this.#queue.push(jobs.map(job => Object.assign(job, { kind: kindOf(job) })))
  }

  /** Stops the workers once the version has no users. */
  async drain(): Promise<void> {
    if (this.#users > 0) await new Promise<void>(resolve => (this.#onUnused = resolve))
    await this.stop()
  }

  /** Stops the workers at once. */
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

  /** Computes a batch; one that fails is computed image by image, so that a bad image harms no other. */
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
      if (modelIsNonFinite) workerProcess.kill('its model gives non-finite values')
      else {
        this.#secondsPerBatch = 0.8 * this.#secondsPerBatch + (0.2 * compute) / 1000
        worker.recordSuccess()
      }
      for (const [i, job] of batch.entries())
        settle(job, outputs[i] ?? (modelIsNonFinite ? nonFiniteModel() : overflow(job.input)), compute)
    } catch (thrown) {
      const error = thrown instanceof EngineError ? thrown : new EngineError('worker_failed', String(thrown))
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
    const { reply, body } = await workerProcess.call('compute', { inputs }, bodies, this.#options.engine.watchdog)
    const { layout, memory, modelIsNonFinite } = reply
    this.#memory.set(worker, memory)
    const outputs = splitOutputs(layout, body)
    if (outputs.length === batch.length) return { outputs, modelIsNonFinite }
    workerProcess.kill(`it returned ${outputs.length} outputs for ${batch.length} inputs`)
    throw new EngineError('worker_failed', `The model returned ${outputs.length} outputs for ${batch.length} inputs.`)
  }
}

const nonFiniteModel = (): EngineError =>
  new EngineError('non_finite_output', 'The model gives non-finite values (NaN or Inf); it is being reloaded.')

const overflow = (input: PreparedInput): EngineError =>
  new EngineError(
    'input_overflows',
    `The model's values overflow at this ${'pixels' in input ? 'image' : 'input'}${'pixels' in input ? '' : '; expected normalized values, near 0'}.`,
  )

function settle(job: Job, ...result: Parameters<Job['settle']>): void {
  job.settle(...result)
  if ('pixels' in job.input) job.input.free?.()
}

/** Kind of a batch: features cost nothing beside logits, but attention makes every layer write out its probabilities. */
const kindOf = ({ task, input }: Job): string =>
  `${task === 'explain' ? 'explain' : 'plain'} ${'pixels' in input ? 'pixels' : 'pixelValues'}`

interface Ready {
  workerProcess: WorkerProcess
  description: LoadedDescription
}

/** @param version the version that the folder must have. @default any */
async function startWorker({ model, engine, signal }: VersionOptions, version?: string): Promise<Ready> {
  const { folder, backend, precision, threads, maxBatchSize } = model
  const workerProcess = await WorkerProcess.start({ module: engine.modelModule, timeout: engine.loadTimeout, signal })
  try {
    const settings = { folder, backend, precision, threads, maxBatchSize }
    const { reply: description } = await workerProcess.call('load', settings, [], engine.loadTimeout)
    if (version && description.version !== version)
      throw new EngineError('model_failed', 'The model folder has changed since it was loaded; reload the model.')
    return { workerProcess, description }
  } catch (error) {
    workerProcess.kill('its model cannot be loaded')
    throw error
  }
}
