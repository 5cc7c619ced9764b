/** One training step: forward and backward, unscale, clip, update. */
import { add, type Tensor, type Tensor4D, tensor2d, tensor4d } from '@tensorflow/tfjs-core'
import {
  autocast,
  deriveSeed,
  type Labels,
  type Loss,
  type TrainingDtype,
  type ViTForImageClassification,
} from '@vitral/core'
import type { Batch } from '@vitral/datasets'
import { clipGradNorm, clipGradValue, type Gradients } from './clip-gradients.ts'
import type { GradScaler } from './grad-scaler.ts'
import { sliceBatch } from './micro-batches.ts'
import { describeNonFinite, NonFiniteError } from './non-finite.ts'
import type { Optimizer } from './optimizers/index.ts'

/** What the loop needs of a batch: pixel values [B, c, h, w], labels [B], and after mixing also soft ones [B, K]. */
export type ImageBatch = Pick<Batch, 'pixelValues' | 'labels' | 'softLabels'>

export interface TrainStepOptions {
  /** Of all dropout in the step. */
  seed: number
  /** @default the mean cross-entropy */
  loss?: Loss
  /** Of the products, forward and backward; parameters and their updates are float32. @default 'float32' */
  precision?: TrainingDtype
  /** Layers are computed again in the backward pass: less memory for more time. @default false */
  gradientCheckpointing?: boolean
  /**
   * Images that pass through the model at a time, their gradients added up: the step is that of the whole batch, in less
   * memory. PyTorch's gradient accumulation. @default the whole batch
   */
  microBatchSize?: number
  /** Largest norm of all gradients together; without it they are not clipped. */
  clipGradNorm?: number
  /** Largest size of a gradient's element, after that; without it they are not cut. */
  clipGradValue?: number
  /** Scales the loss; a step whose gradients overflow is left out. */
  scaler?: GradScaler
}

export interface TrainStepResult {
  /** Mean over the batch, before the update. */
  loss: number
  /** Before clipping; only when clipping. */
  gradNorm?: number
  /** The scaler left the step out: a gradient was infinite or not a number. */
  skipped?: true
}

/**
 * Trains on one batch. Every tensor it makes is freed again.
 *
 * @throws when the loss or the norm of the gradients is not a number any more, before the parameters are touched, saying
 * where that began.
 */
export async function trainStep(
  model: ViTForImageClassification,
  optimizer: Optimizer,
  batch: ImageBatch,
  options: TrainStepOptions,
): Promise<TrainStepResult> {
  const { scaler, clipGradNorm: maxNorm, clipGradValue: maxValue } = options
  const computed = await lossAndGrads(model, batch, options)
  const result: TrainStepResult = { loss: computed.loss }
  let { grads } = computed
  try {
    // A scale of 1 or less overflows nothing: then the fault is the loss's own.
    if (!Number.isFinite(result.loss) && !(scaler && scaler.scale > 1))
      throw new NonFiniteError(await describeNonFinite(model, batch, { loss: result.loss, grads, lr: optimizer.lr }))
    if (scaler) grads = await scaler.unscale(grads)
    if (scaler?.foundNonFinite) result.skipped = true
    else {
      if (maxNorm !== undefined) result.gradNorm = await clipGradNorm(grads, maxNorm)
      if (result.gradNorm !== undefined && !Number.isFinite(result.gradNorm))
        throw new NonFiniteError(await describeNonFinite(model, batch, { loss: result.loss, grads, lr: optimizer.lr }))
      if (maxValue !== undefined) clipGradValue(grads, maxValue)
      optimizer.step(grads)
    }
    scaler?.update()
    return result
  } finally {
    for (const tensor of Object.values(grads)) tensor.dispose()
  }
}

/** The batch's mean loss and its gradients, times the scaler's scale. */
async function lossAndGrads(
  model: ViTForImageClassification,
  batch: ImageBatch,
  { seed, loss, precision = 'float32', gradientCheckpointing, microBatchSize, scaler }: TrainStepOptions,
): Promise<{ loss: number; grads: Gradients }> {
  const count = batch.labels.length
  const size = Math.min(microBatchSize ?? count, count)
  let total = 0
  let grads: Gradients | undefined
  for (let first = 0; first < count; first += size) {
    const part = first === 0 && size === count ? batch : sliceBatch(batch, first, first + size)
    const share = part.labels.length / count
    const { pixels, labels } = toTensors(part)
    const computed = autocast({ dtype: precision }, () =>
      model.valueAndGrads(pixels, labels, {
        seed: first === 0 ? seed : deriveSeed(seed, first),
        loss,
        gradientCheckpointing,
        gradientScale: share * (scaler?.scale ?? 1),
      }),
    )
    grads = grads ? addInto(grads, computed.grads) : computed.grads
    total += share * ((await computed.loss.data())[0] as number)
    for (const tensor of [pixels, labels, computed.loss, computed.logits]) if ('dispose' in tensor) tensor.dispose()
  }
  if (!grads) throw new Error('The batch has no image; expected at least one.')
  return { loss: total, grads }
}

function toTensors({ pixelValues, labels, softLabels }: ImageBatch): { pixels: Tensor4D; labels: Labels } {
  return {
    pixels: tensor4d(pixelValues.data, pixelValues.shape),
    labels: softLabels ? tensor2d(softLabels.data, softLabels.shape) : labels,
  }
}

/** The sums; both terms are freed. */
function addInto(sums: Gradients, terms: Gradients): Gradients {
  return Object.fromEntries(
    Object.entries(sums).map(([name, before]) => {
      const term = terms[name] as Tensor
      const after = add(before, term)
      before.dispose()
      term.dispose()
      return [name, after]
    }),
  )
}
