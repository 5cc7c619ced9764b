/** A model's accuracy on images it is not trained on. */
import { setImmediate as nextTurn } from 'node:timers/promises' // signals and servers wait for the event loop's
import { tensor4d } from '@tensorflow/tfjs-core'
import { autocast, type ComputeDtype, type ViTForImageClassification } from '@vitral/core'
import { type Metrics, MetricsGatherer } from './metrics.ts'
import type { ImageBatch } from './train-step.ts'

export interface Evaluation extends Metrics {
  seconds: number
  imagesPerSecond: number
}

export interface EvaluateOptions {
  /** Names of the classes, in the order of the logits. */
  labels: readonly string[]
  /** Of the products. @default 'float32' */
  precision?: ComputeDtype
  /** Told after each batch how many images are done. */
  onBatch?: (done: number) => void
  /** Stops between two batches. */
  signal?: AbortSignal
}

/**
 * Evaluates a classifier over all batches.
 *
 * @returns accuracy, top-5 and loss, overall and for each class; nothing when the signal stopped it.
 * @throws when there is no image.
 * @example
 * const { accuracy } = await evaluate(model, batches, { labels: ['cat', 'dog'] })
 */
export async function evaluate(
  model: ViTForImageClassification,
  batches: AsyncIterable<ImageBatch>,
  { labels, precision = 'float32', onBatch, signal }: EvaluateOptions,
): Promise<Evaluation | undefined> {
  const started = performance.now()
  const gatherer = new MetricsGatherer(labels)
  let done = 0
  for await (const batch of batches) {
    gatherer.add(await logitsOf(model, batch, precision), batch.labels)
    done += batch.labels.length
    onBatch?.(done)
    await nextTurn()
    if (signal?.aborted) return undefined
  }
  const seconds = (performance.now() - started) / 1000
  return { ...gatherer.result(), seconds, imagesPerSecond: done / seconds }
}

async function logitsOf(
  model: ViTForImageClassification,
  { pixelValues }: ImageBatch,
  precision: ComputeDtype,
): Promise<Float32Array> {
  const pixels = tensor4d(pixelValues.data, pixelValues.shape)
  const { logits } = autocast({ enabled: precision === 'bfloat16' }, () => model.forward(pixels))
  try {
    return (await logits.data()) as Float32Array
  } finally {
    pixels.dispose()
    logits.dispose()
  }
}
