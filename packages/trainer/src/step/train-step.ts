/** One training step: forward and backward, unscale, clip, update. */
import { add, type Tensor, type Tensor4D, tensor2d, tensor4d } from '@tensorflow/tfjs-core'
import { autocast, type Labels, type Loss, type TrainingDtype, type ViTForImageClassification } from '@vitral/core'
import { deriveSeed } from '@vitral/core/tape'
import type { DataParallel } from '../ddp/data-parallel.ts'
import { clipGradNorm, clipGradValue, type GradientClip, type Gradients } from '../optimizers/clip-gradients.ts'
import type { Optimizer } from '../optimizers/index.ts'
import { type ImageBatch, sliceBatch } from './batch.ts'
import type { GradScaler } from './grad-scaler.ts'
import { describeNonFinite, NonFiniteError } from './non-finite.ts'

/** Options of trainStep. */
export interface TrainStepOptions {
  /** Seed for dropout. An image's mask depends on its micro-batch and its position in it. */
  seed: number
  /** The loss. @default by the model's `problemType`, as in transformers; see `problemTypeOf` of @vitral/core */
  loss?: Loss
  /** Precision of the matrix products, forward and backward; parameters and their updates are float32. @default 'float32' */
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
  /** The batch is this process's share, and the step that of all processes' batches together. @default one process */
  parallel?: DataParallel
}

/** What a step came to. */
export interface TrainStepResult {
  /** Mean over the batch, of all processes, before the update. */
  loss: number
  /** In the batch, of all processes; 0 when none could be decoded, and then nothing was computed. */
  images: number
  /** Before clipping; only when clipping. */
  gradNorm?: number
  /** The scaler left the step out: a gradient was infinite or not a number. */
  skipped?: true
  /** Parameters without a gradient in some process that had images, where others had one. */
  unused?: string[]
}

interface LossAndGrads {
  result: TrainStepResult
  /** This process's part of the loss. */
  ownLoss: number
  grads: Gradients
}

/**
 * Trains on one batch. Every tensor it makes is freed again. A batch without images, of all processes, is no step.
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
  const { result, ownLoss, ...computed } = await lossAndGrads(model, batch, options)
  if (result.images === 0) return result
  let { grads } = computed
  try {
    // A scale of 1 or less overflows nothing: then the fault is the loss's own.
    if (!Number.isFinite(result.loss) && !(scaler && scaler.scale > 1)) {
      if (Number.isFinite(ownLoss)) throw new NonFiniteError(elsewhere(result.loss))
      throw new NonFiniteError(await describeNonFinite(model, batch, { loss: result.loss, grads, lr: optimizer.lr }))
    }
    if (scaler) grads = await scaler.unscale(grads)
    if (scaler?.foundNonFinite) result.skipped = true
    else {
      let clip: GradientClip | undefined
      if (maxNorm !== undefined) {
        const byNorm = await clipGradNorm(grads, maxNorm)
        result.gradNorm = byNorm.norm
        clip = byNorm
      }
      if (result.gradNorm !== undefined && !Number.isFinite(result.gradNorm))
        throw new NonFiniteError(await describeNonFinite(model, batch, { loss: result.loss, grads, lr: optimizer.lr }))
      if (maxValue !== undefined) clip = clipGradValue(maxValue, clip)
      optimizer.step(grads, clip)
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
  { seed, loss, precision = 'float32', gradientCheckpointing, microBatchSize, scaler, parallel }: TrainStepOptions,
): Promise<LossAndGrads> {
  const count = batch.labels.length
  const { first: place, total: images } = parallel ? await parallel.share(count) : { first: 0, total: count }
  if (images === 0) return { result: { loss: 0, images }, ownLoss: 0, grads: {} }
  const size = Math.min(microBatchSize ?? count, count)
  let total = 0
  let grads: Gradients = {}
  let last: Gradients = {}
  for (let first = 0; first < count; first += size) {
    const part = first === 0 && size === count ? batch : sliceBatch(batch, first, first + size)
    const share = part.labels.length / images
    const { pixels, labels } = toTensors(part)
    grads = addInto(grads, last)
    const compute = () =>
      autocast({ dtype: precision }, () =>
        model.valueAndGrads(pixels, labels, {
          seed: place + first === 0 ? seed : deriveSeed(seed, place + first),
          loss,
          gradientCheckpointing,
          gradientScale: share * (scaler?.scale ?? 1),
          onGradient: parallel?.sender(grads),
        }),
      )
    const isLast = first + size >= count
    const computed = parallel && !isLast ? parallel.noSync(compute) : compute()
    last = computed.grads
    total += share * ((await computed.loss.data())[0] as number)
    for (const tensor of [pixels, labels, computed.loss, computed.logits]) if ('dispose' in tensor) tensor.dispose()
  }
  if (!parallel) return { result: { loss: total, images }, ownLoss: total, grads: addInto(grads, last) }
  const reduced = await parallel.reduce({ loss: total, grads: last, before: grads })
  const result: TrainStepResult = { loss: reduced.loss, images }
  if (reduced.unused.length > 0) result.unused = reduced.unused
  return { result, ownLoss: total, grads: reduced.grads }
}

const elsewhere = (loss: number): string =>
  `The loss of all processes is ${loss}, but that of this one's images is a number; another process says where it began.`

function toTensors({ pixelValues, labels, softLabels }: ImageBatch): { pixels: Tensor4D; labels: Labels } {
  return {
    pixels: tensor4d(pixelValues.data, pixelValues.shape),
    labels: softLabels ? tensor2d(softLabels.data, softLabels.shape) : labels,
  }
}

/** The sums; both terms are freed. The first sum is of nothing. */
function addInto(sums: Gradients, terms: Gradients): Gradients {
  if (Object.keys(sums).length === 0) return terms
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
