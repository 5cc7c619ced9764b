/** Batches of a data set, epoch by epoch: ordered by a sampler, augmented by a seed, made ahead by workers. */
import { checkInteger } from '@vitral/core/check'
import { type Sampler, sequentialSampler, shuffledSampler } from '../samplers/index.ts'
import { checkReplicas, type Replicas } from '../samplers/rank-share.ts'
import { createBatchTransform } from '../transforms/batch/create-batch-transform.ts'
import { specOf } from '../transforms/define.ts'
import { checkTransform } from '../transforms/import-transform.ts'
import type { Batch, BatchTransform, Dataset, Transform } from '../types.ts'
import { isInModule } from '../user-module.ts'
import { type BatchMaker, createBatchMaker } from './batch-maker.ts'
import { partOfBatch } from './batch-part.ts'
import { cacheExamples, createCacheMemory } from './example-cache.ts'
import { canShare, type Memory } from './memory.ts'
import { checkPlan, checksumOf, type LoaderPlan, type LoaderState } from './plan.ts'
import { createWorkerPool } from './worker-pool.ts'

/** Settings of `createLoader`. */
export interface LoaderOptions {
  /** From the data set's images to tensors of one shape; the last are toTensor and normalize. */
  transforms: readonly Transform[]
  /** Transforms of whole batches, such as mixUp; then a batch has soft labels too. @default [] */
  batchTransforms?: readonly BatchTransform[]
  /** Images in a batch, B. */
  batchSize: number
  /** Another order each epoch. @default false */
  shuffle?: boolean
  /** Which examples an epoch has, and in which order, in place of `shuffle`. */
  sampler?: Sampler
  /** Leaves out the last batch of an epoch when it is smaller than the others. @default false */
  dropLast?: boolean
  /** Seed for the order and the transforms, uint32. @default 0 */
  seed?: number
  /** Threads that decode and transform; 0 does so in the calling thread, which is fastest for small images. @default 0 */
  workers?: number
  /** Batches each worker is ahead. @default 2 */
  prefetch?: number
  /**
   * Writes batches into a ring of shared memory instead of memory of their own: a batch's pixel values then hold until
   * the next batch is asked for. The ring has workers · prefetch + 1 slots. @default false
   */
  reuseMemory?: boolean
  /**
   * Bytes for decoded images, which are then decoded in the first epoch only; up to 16 GiB. Without effect for a data set
   * that has them in memory. @default 0
   */
  cacheBytes?: number
  /**
   * The part of each batch that this process takes, where several train together. Batches, their number and the plan stay
   * those of one process: together all processes take exactly its images, as augmented and mixed there. @default all
   */
  share?: Replicas
  /** A worker that takes longer for a batch is replaced by another; seconds. @default 120 */
  timeoutSeconds?: number
}

/** Where an epoch begins. */
export interface EpochOptions {
  /** 0 for the first. @default 0 */
  epoch?: number
  /** Batches to leave out, when a run goes on in the middle of an epoch. @default 0 */
  firstBatch?: number
  /** Plan of the state with which a run is resumed; one that differs from the loader's is refused. */
  plan?: LoaderPlan
}

/** Source of batches that `createLoader` returns. */
export interface Loader {
  /** Batches of an epoch. */
  readonly batchesPerEpoch: number
  /** What decides the batches. */
  readonly plan: LoaderPlan
  /**
   * The batches of an epoch, in order. Each has memory of its own, which is the caller's, unless `reuseMemory` is set.
   * Leaving the loop early ends the workers; they start again when they are needed.
   *
   * @param from where to begin; also what `state()` gave, in this process or another, with any number of workers
   * @throws when its turn comes, an error that names the example which cannot be read or transformed
   */
  batches(from?: EpochOptions): AsyncGenerator<Batch, void, undefined>
  /** Where the batches that have not been handed out begin. */
  state(): LoaderState
  /** Ends the workers; batches under way are given up. */
  close(): Promise<void>
}

/**
 * Loads batches. They depend on the data set, the loader's plan and the epoch alone: the same bits for every number of
 * workers, in Bun, Node and browsers.
 *
 * A worker that fails or hangs is replaced, and its batches are made again.
 *
 * @throws when an option is out of range, or workers are asked for where the data set or a transform exists in this
 * thread only
 * @example
 * const loader = createLoader(train, { transforms: cifar32({ train: true }), batchSize: 64, shuffle: true, seed: 1 })
 * for await (const { pixelValues, labels } of loader.batches({ epoch: 0 })) step(pixelValues, labels)
 * await loader.close()
 */
export function createLoader(dataset: Dataset, options: LoaderOptions): Loader {
  const { transforms, batchTransforms = [], batchSize, dropLast = false, seed = 0 } = options
  const { workers = 0, prefetch = 2, reuseMemory = false, share } = options
  checkOptions(options)
  const sampler = samplerOf(dataset, options)
  const maker = makerOf(dataset, options)
  const ahead = Math.max(1, workers * prefetch)
  const batchesPerEpoch = (dropLast ? Math.floor : Math.ceil)(sampler.length / batchSize)
  let known: LoaderPlan | undefined
  // Made when it is asked for: most loaders are never asked, and the checksum of a large data set takes a while.
  const planOf = (): LoaderPlan =>
    (known ??= {
      examples: dataset.length,
      content: checksumOf(dataset),
      batchSize,
      dropLast,
      seed,
      sampler: sampler.name,
      transforms: transforms.map(specOf),
      batchTransforms: batchTransforms.map(specOf),
    })
  /** Slots of the ring that nobody uses. */
  const free: Memory[] = []
  let position = { epoch: 0, firstBatch: 0 }
  let running = 0
  let closed = false

  function release({ pixelValues }: Batch): void {
    free.push(pixelValues.data.buffer)
  }

  async function* batches(from: EpochOptions = {}): AsyncGenerator<Batch, void, undefined> {
    const { epoch = 0, firstBatch = 0 } = from
    checkInteger('epoch', epoch, 0)
    checkInteger('firstBatch', firstBatch, 0)
    if (from.plan) checkPlan(from.plan, planOf())
    const order = sampler.order(epoch)
    const queue: Promise<Batch>[] = []
    running++
    position = { epoch, firstBatch }
    try {
      for (let next = firstBatch; ; ) {
        if (closed) throw new Error('The loader is closed.')
        for (; next < batchesPerEpoch && queue.length < ahead; next++) {
          const part = partOfBatch(order, next * batchSize, batchSize, { share, before: batchTransforms.length })
          const batch = maker.make({ epoch, place: next, ...part }, free.pop())
          batch.catch(() => {}) // thrown when its turn comes
          queue.push(batch)
        }
        const batch = await queue.shift()
        if (!batch) return
        position = { epoch, firstBatch: next - queue.length }
        yield batch
        if (reuseMemory) release(batch)
      }
    } finally {
      running--
      if (reuseMemory) for (const batch of queue) batch.then(release, () => {})
      if (queue.length > 0 && running === 0) await maker.stop(new Error('The loop over the batches was left.'))
    }
  }

  return {
    batchesPerEpoch,
    get plan() {
      return planOf()
    },
    batches,
    state: () => ({ ...position, plan: planOf() }),
    close() {
      closed = true
      return maker.stop(new Error('The loader is closed.'))
    },
  }
}

function samplerOf(dataset: Dataset, { sampler, shuffle = false, seed = 0 }: LoaderOptions): Sampler {
  if (sampler && shuffle) throw new Error('Both sampler and shuffle are given; expected one of them.')
  return sampler ?? (shuffle ? shuffledSampler(dataset.length, seed) : sequentialSampler(dataset.length))
}

function makerOf(dataset: Dataset, options: LoaderOptions): BatchMaker {
  const { transforms, batchTransforms = [], seed = 0, workers = 0 } = options
  const { reuseMemory = false, cacheBytes = 0, timeoutSeconds = 120 } = options
  const caches = cacheBytes > 0 && !dataset.inMemory && (canShare || workers === 0)
  // Memory that is set aside unused costs nothing but the collector's attention: it lets that much garbage lie.
  const cache = caches ? createCacheMemory(dataset.length, cacheBytes) : undefined
  if (workers === 0)
    return createBatchMaker({
      dataset: cacheExamples(dataset, cache),
      ...{ transforms, batchTransforms, seed, shared: false },
    })
  if (!dataset.source)
    throw new Error(
      `workers is ${workers}, but the data set has no source by which a worker could open it; use workers: 0.`,
    )
  const specs = transforms.map(specOf)
  for (const spec of specs) checkTransform(spec) // here, so that an unknown name is told at once
  const batchSpecs = batchTransforms.map(specOf)
  for (const spec of batchSpecs) if (!isInModule(spec)) createBatchTransform(spec)
  return createWorkerPool(
    { source: dataset.source, transforms: specs, batchTransforms: batchSpecs, seed, shared: reuseMemory, cache },
    { workers, timeoutSeconds },
  )
}

function checkOptions(options: LoaderOptions): void {
  const { batchSize, seed = 0, workers = 0, prefetch = 2, cacheBytes = 0, timeoutSeconds = 120 } = options
  checkInteger('batchSize', batchSize, 1)
  checkInteger('seed', seed, 0)
  checkInteger('workers', workers, 0)
  checkInteger('prefetch', prefetch, 1)
  checkInteger('cacheBytes', cacheBytes, 0, 2 ** 34)
  if (options.share) checkReplicas('share', options.share)
  if (!(timeoutSeconds > 0 && timeoutSeconds < 2 ** 31 / 1000))
    throw new Error(`timeoutSeconds is ${timeoutSeconds}; expected a number above 0.`)
}
