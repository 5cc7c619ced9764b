/** Makes batches in the calling thread: examples → transforms → one array of floats. */

import { usesNativeImages } from '../functional/kernels/kernels.ts'
import { SkippedExample } from '../images/skipped-example.ts'
import { seedFor } from '../random/seeds.ts'
import { applyBatchTransforms } from '../transforms/batch/apply-batch-transforms.ts'
import { createPipeline } from '../transforms/pipeline.ts'
import type { Batch, BatchTransform, Dataset, ImageTensor, Transform } from '../types.ts'
import { type BatchPart, withLongerLead } from './batch-part.ts'
import { allocate, type Memory } from './memory.ts'
import { prefetch } from './prefetch.ts'

/** A part of an epoch's order. */
export interface BatchRequest extends BatchPart {
  epoch: number
  /** Place of the batch in its epoch, 0 for the first. */
  place: number
}

/** The one thing a loader needs done, here or in workers. */
export interface BatchMaker {
  /**
   * @param memory for the pixel values; when it is too small, or missing, the batch has memory of its own
   * @throws naming the first example, in their order, that fails
   */
  make(request: BatchRequest, memory?: Memory): Promise<Batch>
  /** Gives up what is under way, for the reason given, and ends the threads; they start again when they are needed. */
  stop(reason: Error): Promise<void>
}

export interface BatchMakerOptions {
  dataset: Dataset
  transforms: readonly Transform[]
  batchTransforms: readonly BatchTransform[]
  seed: number
  /** Whether new memory is shared with other threads. */
  shared: boolean
}

/**
 * Each example's chance comes from (seed, epoch, index, repeat) alone, and a batch's from (seed, epoch, place), so that
 * who makes which batch does not matter.
 */
export function createBatchMaker(options: BatchMakerOptions): BatchMaker {
  const { dataset, transforms, batchTransforms, seed, shared } = options
  const pipeline = createPipeline(transforms)

  async function make(request: BatchRequest, memory?: Memory): Promise<Batch> {
    await usesNativeImages() // a new thread would begin without them
    const { epoch, place, lead = 0 } = request
    let made = await makeImages(request, memory)
    // Some of those to be mixed with are broken: the ones before them take their places, as in the whole batch.
    for (let longer = request; made.leading < lead && longer.reserve?.indices.length; ) {
      longer = withLongerLead(longer, lead - made.leading)
      made = await makeImages(longer, memory)
    }
    const chance = seedFor(seed, 'batches', epoch, place)
    const mixed = applyBatchTransforms(batchTransforms, made.batch, chance, dataset.classes.length)
    return withoutFirst(made.leading, mixed)
  }

  /** @returns the batch before its transforms, whose first `leading` images are only there to be mixed with */
  async function makeImages(
    { epoch, indices, repeats, lead = 0 }: BatchRequest,
    memory?: Memory,
  ): Promise<{ batch: Batch; leading: number }> {
    const count = indices.length
    const labels = new Int32Array(count)
    const { multiLabel, classes } = dataset
    const multiHot = new Float32Array(multiLabel ? count * classes.length : 0)
    let shape: ImageTensor['shape'] = [0, 0, 0]
    let data: Float32Array = new Float32Array(0)
    const kept = new Int32Array(count)
    const skipped: Batch['skipped'] = []
    let made = 0
    let leading = 0
    const next = prefetch(count, i => dataset.get(indices[i] as number))
    for (let i = 0; i < count; i++) {
      const index = indices[i] as number
      try {
        const given = next()
        const { image, label, labels: all } = given instanceof Promise ? await given : given
        const sample = pipeline.prepare(image, chanceOf(epoch, index, repeats?.[i] ?? 0))
        const sampleShape = pipeline.shapeOf(sample)
        const size = sampleShape[0] * sampleShape[1] * sampleShape[2]
        if (made === 0) {
          shape = sampleShape
          data = floats(count * size, memory)
        } else checkShape(sampleShape, shape)
        pipeline.write(sample, data, made * size)
        labels[made] = label
        if (multiLabel) markAll(all, multiHot.subarray(made * classes.length, (made + 1) * classes.length))
        kept[made++] = index
        if (i < lead) leading++
      } catch (error) {
        if (!(error instanceof SkippedExample))
          throw new Error(describe(dataset, index, (error as Error).message), { cause: error })
        if (i >= lead) skipped.push({ index, reason: error.message })
      }
    }
    const batch = {
      pixelValues: { data: data.subarray(0, made * shape[0] * shape[1] * shape[2]), shape: [made, ...shape] },
      labels: labels.subarray(0, made),
      ...(multiLabel && {
        softLabels: {
          data: multiHot.subarray(0, made * classes.length),
          shape: [made, classes.length] as [number, number],
        },
      }),
      indices: kept.subarray(0, made),
      skipped,
    } satisfies Batch
    return { batch, leading }
  }

  function chanceOf(epoch: number, index: number, repeat: number): number {
    return repeat === 0 ? seedFor(seed, 'transforms', epoch, index) : seedFor(seed, 'repeats', epoch, index, repeat)
  }

  function floats(length: number, memory?: Memory): Float32Array {
    const bytes = length * Float32Array.BYTES_PER_ELEMENT
    return new Float32Array(memory && memory.byteLength >= bytes ? memory : allocate(bytes, shared), 0, length)
  }

  return { make, stop: async () => {} }
}

/** Names the example as the user knows it, unless the message does. */
function describe(dataset: Dataset, index: number, message: string): string {
  const name = dataset.nameOf?.(index)
  return `Example ${index}${name === undefined || message.includes(name) ? '' : ` (${name})`}: ${message}`
}

/** Writes 1 for each label. */
function markAll(labels: readonly number[] | undefined, row: Float32Array): void {
  if (!labels) throw new Error('it has no labels; expected a list, since the data set says that it is multi-label.')
  for (const label of labels) {
    if (!(label in row)) throw new Error(`it has label ${label}; expected 0 to ${row.length - 1}.`)
    row[label] = 1
  }
}

/** Leaves out the images that were only there to be mixed with. */
function withoutFirst(count: number, batch: Batch): Batch {
  if (count === 0) return batch
  const { pixelValues, labels, softLabels, indices } = batch
  const [made, ...shape] = pixelValues.shape
  const rest = (values: Float32Array): Float32Array => values.subarray((values.length / made) * count)
  return {
    ...batch,
    pixelValues: { data: rest(pixelValues.data), shape: [made - count, ...shape] },
    labels: labels.subarray(count),
    indices: indices.subarray(count),
    ...(softLabels && { softLabels: { data: rest(softLabels.data), shape: [made - count, softLabels.shape[1]] } }),
  }
}

function checkShape(shape: ImageTensor['shape'], expected: ImageTensor['shape']): void {
  if (shape.some((length, axis) => length !== expected[axis]))
    throw new Error(
      `its shape is [${shape.join(', ')}] after the transforms, but the batch's first has [${expected.join(', ')}]; a resize or crop to a fixed size makes them equal.`,
    )
}
