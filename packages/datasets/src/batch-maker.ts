/** Makes batches in the calling thread: examples → transforms → one array of floats. */
import { createPipeline } from './pipeline.ts'
import { seedFor } from './seeds.ts'
import { SkippedExample } from './skipped-example.ts'
import { applyBatchTransforms } from './transforms/batch/apply-batch-transforms.ts'
import type { Batch, BatchTransform, Dataset, Example, ImageTensor, Transform } from './types.ts'

/** Which batch is wanted. */
export interface BatchRequest {
  indices: Int32Array
  /** How often each of them came before in the epoch; without it none did. */
  repeats?: Int32Array
  epoch: number
  /** Of the batch in its epoch, 0 for the first. */
  place: number
}

/** The one thing a loader needs done, here or in workers. */
export interface BatchMaker {
  /** @throws naming the first example, in their order, that fails */
  make(request: BatchRequest): Promise<Batch>
  close(): Promise<void>
}

export interface BatchMakerOptions {
  transforms: readonly Transform[]
  batchTransforms: readonly BatchTransform[]
  seed: number
}

/**
 * Each example's chance comes from (seed, epoch, index, repeat) alone, and a batch's from (seed, epoch, place), so that who makes
 * which batch does not matter.
 */
export function createBatchMaker(
  dataset: Dataset,
  { transforms, batchTransforms, seed }: BatchMakerOptions,
): BatchMaker {
  const pipeline = createPipeline(transforms)

  async function make({ indices, repeats, epoch, place }: BatchRequest): Promise<Batch> {
    const count = indices.length
    const labels = new Int32Array(count)
    let shape: ImageTensor['shape'] = [0, 0, 0]
    let data = new Float32Array(0)
    const kept = new Int32Array(count)
    const skipped: Batch['skipped'] = []
    let made = 0
    const examples = startAll(dataset, indices)
    for (let i = 0; i < count; i++) {
      const index = indices[i] as number
      try {
        const example = examples[i] as Example | Promise<Example>
        const { image, label } = example instanceof Promise ? await example : example
        const sample = pipeline.prepare(image, chanceOf(epoch, index, repeats?.[i] ?? 0))
        const sampleShape = pipeline.shapeOf(sample)
        const size = sampleShape[0] * sampleShape[1] * sampleShape[2]
        if (made === 0) {
          shape = sampleShape
          data = new Float32Array(count * size)
        } else checkShape(sampleShape, shape)
        pipeline.write(sample, data, made * size)
        labels[made] = label
        kept[made++] = index
      } catch (error) {
        if (!(error instanceof SkippedExample))
          throw new Error(`Example ${index}: ${(error as Error).message}`, { cause: error })
        skipped.push({ index, reason: error.message })
      }
    }
    const batch = {
      pixelValues: { data: data.subarray(0, made * shape[0] * shape[1] * shape[2]), shape: [made, ...shape] },
      labels: labels.subarray(0, made),
      indices: kept.subarray(0, made),
      skipped,
    } satisfies Batch
    const chance = seedFor(seed, 'batches', epoch, place)
    return applyBatchTransforms(batchTransforms, batch, chance, dataset.classes.length)
  }

  function chanceOf(epoch: number, index: number, repeat: number): number {
    return repeat === 0 ? seedFor(seed, 'transforms', epoch, index) : seedFor(seed, 'repeats', epoch, index, repeat)
  }

  return { make, close: async () => {} }
}

/** Decoding runs outside of JavaScript's thread, so all of a batch start at once; they are taken in order. */
function startAll(dataset: Dataset, indices: Int32Array): (Example | Promise<Example>)[] {
  return Array.from(indices, index => {
    try {
      const example = dataset.get(index)
      if (example instanceof Promise) example.catch(() => {}) // reported when its turn comes
      return example
    } catch (error) {
      const failed = Promise.reject(error)
      failed.catch(() => {})
      return failed
    }
  })
}

function checkShape(shape: ImageTensor['shape'], expected: ImageTensor['shape']): void {
  if (shape.some((length, axis) => length !== expected[axis]))
    throw new Error(
      `its shape is [${shape.join(', ')}] after the transforms, but the batch's first has [${expected.join(', ')}]; a resize or crop to a fixed size makes them equal.`,
    )
}
