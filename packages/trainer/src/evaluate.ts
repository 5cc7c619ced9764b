/** A model's accuracy on images it is not trained on. */
import { setImmediate as nextTurn } from 'node:timers/promises' // signals and servers wait for the event loop's
import { type Tensor2D, type Tensor4D, tensor4d, tidy } from '@tensorflow/tfjs-core'
import { autocast, type ComputeDtype, type ViTForImageClassification } from '@vitral/core'
import { alone, type Collectives } from './ddp/collectives.ts'
import { shareScores } from './ddp/share-scores.ts'
import { type Metrics, MetricsGatherer, scoresOf } from './metrics.ts'
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
  /** Told after each batch how many images are done, of all processes. */
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
 * @returns accuracy, top-5, loss, confusion and calibration, and each class's own; nothing when the signal stopped it.
 * @throws when there is no image.
 * @example
 * const { accuracy } = await evaluate(model, batches, { labels: ['cat', 'dog'] })
 */
export async function evaluate(
  model: ViTForImageClassification,
  batches: AsyncIterable<ImageBatch>,
  { labels, precision = 'float32', augmentation, onBatch, signal, collectives = alone }: EvaluateOptions,
): Promise<Evaluation | undefined> {
  const started = performance.now()
  const gatherer = new MetricsGatherer(labels)
  const iterator = batches[Symbol.asyncIterator]()
  let done = 0
  try {
    for (;;) {
      const batch: ImageBatch | undefined = (await iterator.next()).value
      const classes: ArrayLike<number> = batch?.labels ?? []
      const own = batch ? scoresOf(await logitsOf(model, batch, precision, augmentation), classes, labels.length) : []
      await nextTurn()
      const round = await shareScores(collectives, { scores: own, ended: !batch, stop: signal?.aborted ?? false })
      for (const score of round.scores) gatherer.addScore(score)
      done += round.scores.length
      if (round.scores.length > 0) onBatch?.(done)
      if (round.stop) return undefined
      if (round.ended) break
    }
  } finally {
    await iterator.return?.()
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
