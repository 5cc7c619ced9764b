/** Batches of a data set, epoch by epoch: shuffled and augmented by a seed, made ahead by workers. */
import { type BatchMaker, createBatchMaker } from './batch-maker.ts'
import { checkWhole } from './check-whole.ts'
import { type Sampler, sequentialSampler, shuffledSampler } from './samplers/index.ts'
import { createBatchTransform } from './transforms/batch/create-batch-transform.ts'
import { createTransform } from './transforms/create-transform.ts'
import { specOf } from './transforms/define.ts'
import type { Batch, BatchTransform, Dataset, Transform } from './types.ts'
import { createWorkerPool } from './worker-pool.ts'

export interface LoaderOptions {
  /** From the data set's images to tensors of one shape; the last are toTensor and normalize. */
  transforms: readonly Transform[]
  /** Of whole batches, such as mixUp; then a batch has soft labels too. @default [] */
  batchTransforms?: readonly BatchTransform[]
  batchSize: number
  /** Another order each epoch. @default false */
  shuffle?: boolean
  /** Which examples an epoch has, and their order, instead of `shuffle`. */
  sampler?: Sampler
  /** Leaves out the last batch of an epoch when it is smaller than the others. @default false */
  dropLast?: boolean
  /** Of the order and the transforms, uint32. @default 0 */
  seed?: number
  /** Threads that decode and transform; 0 does so in the calling thread, which is fastest for small images. @default 0 */
  workers?: number
  /** Batches each worker is ahead. @default 2 */
  prefetch?: number
}

export interface EpochOptions {
  /** 0 for the first. @default 0 */
  epoch?: number
  /** Batches to leave out, when a run goes on in the middle of an epoch. @default 0 */
  firstBatch?: number
}

export interface Loader {
  readonly batchesPerEpoch: number
  /**
   * The batches of an epoch, in order. Each has memory of its own, which is the caller's.
   *
   * @throws when its turn comes, an error that names the example which cannot be read or transformed
   */
  batches(options?: EpochOptions): AsyncGenerator<Batch, void, undefined>
  /** Ends the workers; batches under way are given up. */
  close(): Promise<void>
}

/**
 * Loads batches. They depend on the data set, the options above and the epoch alone: the same bits for every number of
 * workers, in Bun and in Node.
 *
 * @throws when an option is out of range, or workers are asked for where the data set or a transform exists in this
 * thread only
 * @example
 * const loader = createLoader(train, { transforms: cifar32({ train: true }), batchSize: 64, shuffle: true, seed: 1 })
 * for await (const { pixelValues, labels } of loader.batches({ epoch: 0 })) step(pixelValues, labels)
 * await loader.close()
 */
export function createLoader(dataset: Dataset, options: LoaderOptions): Loader {
  const {
    transforms,
    batchTransforms = [],
    batchSize,
    shuffle = false,
    sampler = shuffle ? shuffledSampler(dataset.length, options.seed ?? 0) : sequentialSampler(dataset.length),
    dropLast = false,
    seed = 0,
    workers = 0,
    prefetch = 2,
  } = options
  checkWhole('batchSize', batchSize, 1)
  checkWhole('workers', workers, 0)
  checkWhole('prefetch', prefetch, 1)
  const maker =
    workers === 0
      ? createBatchMaker(dataset, { transforms, batchTransforms, seed })
      : inWorkers(dataset, options, workers, seed)
  const ahead = Math.max(1, workers * prefetch)
  if (shuffle && options.sampler) throw new Error('The loader was given shuffle and a sampler; expected one of them.')
  const batchesPerEpoch = (dropLast ? Math.floor : Math.ceil)(sampler.length / batchSize)

  async function* batches({ epoch = 0, firstBatch = 0 }: EpochOptions = {}): AsyncGenerator<Batch, void, undefined> {
    checkWhole('epoch', epoch, 0)
    checkWhole('firstBatch', firstBatch, 0)
    const { indices, repeats } = sampler.order(epoch)
    const queue: Promise<Batch>[] = []
    for (let next = firstBatch; ; ) {
      for (; next < batchesPerEpoch && queue.length < ahead; next++) {
        const [from, to] = [next * batchSize, (next + 1) * batchSize]
        const part = { indices: indices.slice(from, to), ...(repeats && { repeats: repeats.slice(from, to) }) }
        const batch = maker.make({ ...part, epoch, place: next })
        batch.catch(() => {}) // thrown when its turn comes
        queue.push(batch)
      }
      const batch = queue.shift()
      if (!batch) return
      yield await batch
    }
  }

  return { batchesPerEpoch, batches, close: () => maker.close() }
}

function inWorkers(
  dataset: Dataset,
  { transforms, batchTransforms = [] }: LoaderOptions,
  workers: number,
  seed: number,
): BatchMaker {
  if (!dataset.source)
    throw new Error(
      `workers is ${workers}, but the data set has no source by which a worker could open it; use workers: 0.`,
    )
  const specs = transforms.map(specOf)
  for (const spec of specs) createTransform(spec) // here, so that an unknown name is told at once
  const batchSpecs = batchTransforms.map(specOf)
  for (const spec of batchSpecs) createBatchTransform(spec)
  return createWorkerPool(workers, { source: dataset.source, transforms: specs, batchTransforms: batchSpecs, seed })
}
