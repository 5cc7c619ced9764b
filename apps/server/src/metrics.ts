/** Metrics for Prometheus. Labels take values from closed sets only: names of served models, and fixed words. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { Engine, EngineResult, ManagedEngine } from './engine.ts'
import type { EngineEvent } from './engine-events.ts'
import type { ErrorCode } from './errors.ts'

export const outcomes = ['ok', 'rejected', 'timeout', 'cancelled', 'invalid', 'backend'] as const
type Outcome = (typeof outcomes)[number]

export interface Metrics {
  /** Counts an inference request once it is answered. @param model undefined if it named no served model */
  request(model: string | undefined, outcome: Outcome, seconds: number): void
  /** Counts the images of an answered request. */
  images(model: string, result: EngineResult): void
  /** Counts an event of the engine. */
  event(event: EngineEvent): void
  /** @returns all metrics in Prometheus' text format */
  read(): Promise<{ text: string; contentType: string }>
}

/** Outcomes of error codes; every other code is 'invalid', the client's error. */
const outcomeOfCode: Partial<Record<ErrorCode, Outcome>> = {
  queue_full: 'rejected',
  draining: 'rejected',
  rate_limited: 'rejected',
  too_many_bytes: 'rejected',
  model_not_ready: 'rejected',
  queue_timeout: 'timeout',
  model_hangs: 'timeout',
  deadline_exceeded: 'timeout',
  upload_timeout: 'timeout',
  cancelled: 'cancelled',
  model_failed: 'backend',
  non_finite_output: 'backend',
  worker_failed: 'backend',
  internal: 'backend',
}

export const outcomeOf = (code: ErrorCode): Outcome => outcomeOfCode[code] ?? 'invalid'

const stages = ['queue', 'decode', 'compute'] as const
/** Histogram buckets in seconds, from a tiny model's answer to the longest deadline. */
const buckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/** The engine's gauges, which are sampled whenever the metrics are read. */
type Measured = Pick<Engine, 'load'> & Partial<Pick<ManagedEngine, 'memory'>>

export function createMetrics(engine: Measured): Metrics {
  const registry = new Registry()
  const registers = [registry]
  // prom-client's default of 10 ms wakes the server a hundred times a second, on a processor that computes.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 1000 })
  // Bun has no heap spaces, but walks its whole heap to report them, which blocks the server for milliseconds.
  for (const size of ['total', 'used', 'available']) registry.removeSingleMetric(`nodejs_heap_space_size_${size}_bytes`)
  const requests = new Counter({
    name: 'vit_requests_total',
    help: 'Inference requests, by outcome.',
    labelNames: ['model', 'outcome'],
    registers,
  })
  const images = new Counter({
    name: 'vit_images_total',
    help: 'Images that were answered.',
    labelNames: ['model'],
    registers,
  })
  const batches = new Histogram({
    name: 'vit_batch_size',
    help: 'Images in a batch.',
    labelNames: ['model'],
    buckets: [1, 2, 4, 8, 16, 32, 64],
    registers,
  })
  const batchCount = new Counter({
    name: 'vit_batches_total',
    help: 'Batches that were computed.',
    labelNames: ['model'],
    registers,
  })
  const failures = new Counter({
    name: 'vit_worker_failures_total',
    help: 'Worker processes that ended or hung, and were restarted.',
    labelNames: ['model'],
    registers,
  })
  const histogram = (name: string, help: string): Histogram<'model'> =>
    new Histogram({ name, help, labelNames: ['model'], buckets, registers })
  const duration = histogram('vit_request_duration_seconds', 'Time from the head of a request to its answer.')
  const stageDurations = stages.map(
    stage =>
      [stage, histogram(`vit_${stage}_duration_seconds`, `Time in the stage ${stage}, of the slowest image.`)] as const,
  )
  for (const [name, help, field] of [
    ['vit_queue_depth', 'Images in the queue.', 'queued'],
    ['vit_inflight', 'Images that are being computed.', 'running'],
  ] as const)
    new Gauge({
      name,
      help,
      labelNames: ['model'],
      registers,
      collect() {
        for (const models of engine.load()) this.set({ model: models.model }, models[field])
      },
    })
  new Gauge({
    name: 'vit_model_memory_bytes',
    help: 'Resident memory of the worker processes of a model; 0 while it is not loaded.',
    labelNames: ['model'],
    registers,
    collect() {
      for (const { model, bytes } of engine.memory?.() ?? []) this.set({ model }, bytes)
    },
  })

  const uncounted: (() => void)[] = []
  const countAll = (): void => {
    for (const count of uncounted.splice(0)) count()
  }
  /** Counts after the answer is sent, so that the answer does not wait for it. */
  const later = (count: () => void): void => {
    if (uncounted.push(count) === 1) setImmediate(countAll)
  }

  return {
    request(model = 'none', outcome, seconds) {
      later(() => {
        requests.inc({ model, outcome })
        duration.observe({ model }, seconds)
      })
    },
    images(model, { outputs, stages: milliseconds }) {
      const { length } = outputs
      later(() => {
        images.inc({ model }, length)
        for (const [stage, seconds] of stageDurations) seconds.observe({ model }, milliseconds[stage] / 1000)
      })
    },
    event(happened) {
      later(() => {
        if (happened.event === 'batch') {
          batches.observe({ model: happened.model }, happened.size)
          batchCount.inc({ model: happened.model })
        }
        if (happened.event === 'worker_failed') failures.inc({ model: happened.model ?? 'decoder' })
      })
    },
    async read() {
      countAll()
      return { text: await registry.metrics(), contentType: registry.contentType }
    },
  }
}
