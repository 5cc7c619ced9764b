/** A model's accuracy on images it is not trained on. */

import { type Tensor2D, type Tensor4D, tensor4d, tidy } from '@tensorflow/tfjs-core'
import { autocast, type ComputeDtype, type ViTForImageClassification } from '@vitral/core'
import { firstNonFinite } from '@vitral/core/finite'
import { nextTurn } from '#platform' // signals and servers wait for the event loop's
import { problemTypeOfData } from '../data/problem-type.ts'
import { alone, type Collectives } from '../ddp/collectives.ts'
import type { ImageBatch } from '../step/batch.ts'
import { NonFiniteError } from '../step/non-finite.ts'
import type { ExampleImages } from './example-images.ts'
import { type Metrics, MetricsGatherer } from './metrics.ts'
import { MultiLabelGatherer, type MultiLabelMetrics } from './multi-label-metrics.ts'
import { shareExamples } from './share-examples.ts'
import { shareScores } from './share-scores.ts'
import { averageViews, type TestTimeAugmentation } from './test-time-augmentation.ts'

/** The metrics of an evaluation, and its speed. */
export type Evaluation = (Metrics | MultiLabelMetrics) & {
  seconds: number
  imagesPerSecond: number
}

/** Those that tell most, from 0 to 1, by the names that logs have for them. */
export const mainMetrics = (evaluation: Evaluation): Record<string, number> =>
  'top5' in evaluation
    ? { accuracy: evaluation.accuracy, ...(evaluation.top5 !== null && { top5: evaluation.top5 }) }
    : { accuracy: evaluation.accuracy, mean_average_precision: evaluation.meanAveragePrecision }

/** Options of evaluate. */
export interface EvaluateOptions {
  /** Names of the classes, in the order of the logits. */
  labels: readonly string[]
  /** Precision of the matrix products. @default 'float32' */
  precision?: ComputeDtype
  /** Averages several views of each image; for crops the batches' images are larger than the model's. @default one view */
  augmentation?: TestTimeAugmentation
  /** Whether images may have several classes, or none. @default false */
  multiLabel?: boolean
  /** Collects the images that say most, from every image and its prediction. */
  examples?: ExampleImages
  /** Called after each batch with the number of images done, of all processes. */
  onBatch?: (done: number) => void
  /** Stops between two batches; all processes, when one of them is stopped. */
  signal?: AbortSignal
  /**
   * The batches are every worldSize-th of all, from that of this process's rank on; the result is that of all, in every
   * process, with the same bits as in one. @default one process
   */
  collectives?: Collectives
}

/**
 * Evaluates a classifier over all batches.
 *
 * @returns accuracy, top-5, loss, confusion and calibration, and each class's own; of images that may have several classes
 * mean average precision instead of what supposes one; nothing when the signal stopped it.
 * @throws when there is no image, when the model's problem type is another than the images', and when a logit is NaN or
 * infinite
 * @example
 * const { accuracy } = await evaluate(model, batches, { labels: ['cat', 'dog'] })
 */
export async function evaluate(
  model: ViTForImageClassification,
  batches: AsyncIterable<ImageBatch>,
  options: EvaluateOptions,
): Promise<Evaluation | undefined> {
  const { labels, precision = 'float32', multiLabel = false, augmentation, examples, onBatch, signal } = options
  const { collectives = alone } = options
  problemTypeOfData(model.config.problemType, { multiLabel })
  if (multiLabel && augmentation)
    throw new Error(`Views cannot be averaged (${augmentation}) of images that may have several classes.`)
  const started = performance.now()
  const gatherer = multiLabel ? new MultiLabelGatherer(labels) : new MetricsGatherer(labels)
  const scoresOf = async (batch: ImageBatch): Promise<number[][]> => {
    if (batch.labels.length === 0) return []
    const logits = await logitsOf(model, batch, precision, augmentation)
    requireFinite(logits, batch)
    examples?.add(batch, logits)
    return gatherer.scores(logits, batch)
  }
  const iterator = batches[Symbol.asyncIterator]()
  let done = 0
  try {
    for (;;) {
      const batch: ImageBatch | undefined = (await iterator.next()).value
      const scores = batch ? await scoresOf(batch) : []
      await nextTurn()
      const round = await shareScores(collectives, { scores, ended: !batch, stop: signal?.aborted ?? false })
      for (const score of round.scores) gatherer.addScore(score)
      done += round.scores.length
      if (round.scores.length > 0) onBatch?.(done)
      if (round.stop) return undefined
      if (round.ended) break
    }
  } finally {
    await iterator.return?.()
  }
  if (examples) await shareExamples(collectives, examples)
  const seconds = (performance.now() - started) / 1000
  return { ...gatherer.result(), seconds, imagesPerSecond: done / seconds }
}

/** A score of NaN is neither right nor wrong: ranks and accuracies of it would be made up. */
function requireFinite(logits: Float32Array, { labels, indices }: ImageBatch): void {
  const wrong = firstNonFinite(logits)
  if (wrong < 0) return
  const image = Math.floor(wrong / (logits.length / labels.length))
  const which = indices ? `image ${indices[image]} of the data set` : `image ${image} of the batch`
  throw new NonFiniteError(
    `The logits of ${which} hold ${logits[wrong]}; expected finite numbers. The weights are damaged or diverged, or the image's values overflow them.`,
  )
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
