/** A model's accuracy on images it is not trained on. */
import { setImmediate as nextTurn } from 'node:timers/promises' // signals and servers wait for the event loop's
import { type Tensor2D, type Tensor4D, tensor4d, tidy } from '@tensorflow/tfjs-core'
import { autocast, type ComputeDtype, type ViTForImageClassification } from '@vitral/core'
import { type Metrics, MetricsGatherer } from './metrics.ts'
import { MultiLabelGatherer, type MultiLabelMetrics } from './multi-label-metrics.ts'
import type { ExampleImages } from './report/example-images.ts'
import { averageViews, type TestTimeAugmentation } from './test-time-augmentation.ts'
import type { ImageBatch } from './train-step.ts'

export type Evaluation = (Metrics | MultiLabelMetrics) & {
  seconds: number
  imagesPerSecond: number
}

/** The two that tell most, from 0 to 1, by the names that logs have for them. */
export const mainMetrics = (evaluation: Evaluation): Record<string, number> =>
  'top5' in evaluation
    ? { accuracy: evaluation.accuracy, top5: evaluation.top5 }
    : { accuracy: evaluation.accuracy, mean_average_precision: evaluation.meanAveragePrecision }

export interface EvaluateOptions {
  /** Names of the classes, in the order of the logits. */
  labels: readonly string[]
  /** Of the products. @default 'float32' */
  precision?: ComputeDtype
  /** Averages several views of each image; for crops the batches' images are larger than the model's. @default one view */
  augmentation?: TestTimeAugmentation
  /** Is shown every image and what it was taken for. */
  examples?: ExampleImages
  /** Told after each batch how many images are done. */
  onBatch?: (done: number) => void
  /** Stops between two batches. */
  signal?: AbortSignal
}

/**
 * Evaluates a classifier over all batches.
 *
 * @returns accuracy, top-5, loss, confusion and calibration, and each class's own; of images that may have several classes
 * mean average precision instead of what supposes one; nothing when the signal stopped it.
 * @throws when there is no image.
 * @example
 * const { accuracy } = await evaluate(model, batches, { labels: ['cat', 'dog'] })
 */
export async function evaluate(
  model: ViTForImageClassification,
  batches: AsyncIterable<ImageBatch>,
  { labels, precision = 'float32', augmentation, examples, onBatch, signal }: EvaluateOptions,
): Promise<Evaluation | undefined> {
  const started = performance.now()
  const gatherer = new MetricsGatherer(labels)
  const ofSeveral = new MultiLabelGatherer(labels)
  let done = 0
  let multiLabel = false
  for await (const batch of batches) {
    const { softLabels } = batch
    multiLabel = softLabels !== undefined
    if (multiLabel && augmentation)
      throw new Error(`Views cannot be averaged (${augmentation}) of images that may have several classes.`)
    const logits = await logitsOf(model, batch, precision, augmentation)
    if (softLabels) ofSeveral.add(logits, softLabels.data)
    else gatherer.add(logits, batch.labels)
    examples?.add(batch, logits)
    done += batch.labels.length
    onBatch?.(done)
    await nextTurn()
    if (signal?.aborted) return undefined
  }
  const seconds = (performance.now() - started) / 1000
  const metrics = multiLabel ? ofSeveral.result() : gatherer.result()
  return { ...metrics, seconds, imagesPerSecond: done / seconds }
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
  const enabled = precision === 'bfloat16'
  const of = (view: Tensor4D): Tensor2D => autocast({ enabled }, () => model.forward(view)).logits
  const logits = tidy(() => (augmentation ? averageViews(pixels, size, augmentation, of) : of(pixels)))
  try {
    return (await logits.data()) as Float32Array
  } finally {
    pixels.dispose()
    logits.dispose()
  }
}
