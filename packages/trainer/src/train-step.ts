/** One training step: forward and backward, clip, update. */
import { type Tensor4D, tensor4d } from '@tensorflow/tfjs-core'
import { autocast, type ComputeDtype, type ViTForImageClassification } from '@vitral/core'
import type { Batch } from '@vitral/datasets'
import { clipGradNorm } from './clip-grad-norm.ts'
import type { Optimizer } from './optimizers/index.ts'

/** What the loop needs of a batch: pixel values [B, c, h, w] and labels [B]. */
export type ImageBatch = Pick<Batch, 'pixelValues' | 'labels'>

export interface TrainStepOptions {
  /** Of all dropout in the step. */
  seed: number
  labelSmoothing: number
  /** Of the products, forward and backward; parameters and their updates are float32. @default 'float32' */
  precision?: ComputeDtype
  /** Layers are computed again in the backward pass: less memory for more time. @default false */
  gradientCheckpointing?: boolean
  /** Largest norm of all gradients together; without it they are not clipped. */
  clipGradNorm?: number
}

export interface TrainStepResult {
  /** Mean over the batch, before the update. */
  loss: number
  /** Before clipping; only when clipping. */
  gradNorm?: number
}

/**
 * Trains on one batch. Every tensor it makes is freed again.
 *
 * @throws when the loss is not a number any more, before the parameters are touched.
 */
export async function trainStep(
  model: ViTForImageClassification,
  optimizer: Optimizer,
  { pixelValues, labels }: ImageBatch,
  {
    seed,
    labelSmoothing,
    precision = 'float32',
    gradientCheckpointing = false,
    clipGradNorm: maxNorm,
  }: TrainStepOptions,
): Promise<TrainStepResult> {
  const pixels: Tensor4D = tensor4d(pixelValues.data, pixelValues.shape)
  const { loss, logits, grads } = autocast({ enabled: precision === 'bfloat16' }, () =>
    model.valueAndGrads(pixels, labels, { seed, labelSmoothing, gradientCheckpointing }),
  )
  try {
    const result: TrainStepResult = { loss: (await loss.data())[0] as number }
    if (!Number.isFinite(result.loss))
      throw new Error(
        `The loss is ${result.loss}; expected a number. The learning rate, ${optimizer.lr}, may be too high: try a lower optimizer.lr, a longer schedule.warmupEpochs or a lower clipGradNorm.`,
      )
    if (maxNorm !== undefined) result.gradNorm = await clipGradNorm(grads, maxNorm)
    optimizer.step(grads)
    return result
  } finally {
    for (const tensor of [pixels, loss, logits, ...Object.values(grads)]) tensor.dispose()
  }
}
