/** A model's accuracy on images it is not trained on. */
import { setImmediate as nextTurn } from 'node:timers/promises' // signals and servers wait for the event loop's
import { type Tensor2D, type Tensor4D, tensor4d, tidy } from '@tensorflow/tfjs-core'
import { autocast, type ComputeDtype, type ViTForImageClassification } from '@vitral/core'
import { type Metrics, MetricsGatherer } from './metrics.ts'
import { averageViews, type TestTimeAugmentation } from './test-time-augmentation.ts'
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
  /** Averages several views of each image; for crops the batches' images are larger than the model's. @default one view */
  augmentation?: TestTimeAugmentation
  /** Told after each batch how many images are done. */
  onBatch?: (done: number) => void
  /** Stops between two batches. */
  signal?: AbortSignal
}

/**
 * Evaluates a classifier over all batches.
 *
 * @returns accuracy, top-5, loss, confusion and calibration, and each class's own; nothing when the signal stopped it.
 * @throws when there is no image.
 * @example
 * const { accuracy } = await evaluate(model, batches, { labels: ['cat', 'dog'] })
 */
export async function evaluate(
  model: ViTForImageClassification,
  batches: AsyncIterable<ImageBatch>,
  { labels, precision = 'float32', augmentation, onBatch, signal }: EvaluateOptions,
): Promise<Evaluation | undefined> {
  const started = performance.now()
  const gatherer = new MetricsGatherer(labels)
  let done = 0
  for await (const batch of batches) {
    gatherer.add(await logitsOf(model, batch, precision, augmentation), batch.labels)
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
  augmentation: TestTimeAugmentation | undefined,
): Promise<Float32Array> {
  const pixels: Tensor4D = tensor4d(pixelValues.data, pixelValues.shape)
  const { imageSize } = model.config
  const size = typeof imageSize === 'number' ? ([imageSize, imageSize] as const) : imageSize
  const of = (view: Tensor4D): Tensor2D => autocast({ dtype: precision }, () => model.forward(view)).logits
  const logits = tidy(() => (augmentation ? averageViews(pixels, size, augmentation, of) : of(pixels)))
  try {
    return (await logits.data()) as Float32Array
  } finally {
    pixels.dispose()
    logits.dispose()
  }
}
