/** Where the numbers of a step that went wrong went wrong: what a user has to know to set it right. */
import { type Tensor, type Tensor4D, tensor4d } from '@tensorflow/tfjs-core'
import type { ViTForImageClassification } from '@vitral/core'
import type { Gradients } from '../optimizers/clip-gradients.ts'
import type { ImageBatch } from './batch.ts'

/** A loss, or the norm of the gradients, that is infinite or not a number. */
export class NonFiniteError extends Error {
  override readonly name: string = 'NonFiniteError'
}

export interface FailedStep {
  loss: number
  grads: Gradients
  lr: number
}

/**
 * Says where the first value that is infinite or not a number is: in the images, the parameters, a layer's output in a
 * forward pass of its own, or the gradients.
 */
export async function describeNonFinite(
  model: ViTForImageClassification,
  { pixelValues }: ImageBatch,
  { loss, grads, lr }: FailedStep,
): Promise<string> {
  const what = Number.isFinite(loss) ? 'The norm of the gradients is not finite' : `The loss is ${loss}`
  const images = offenders(pixelValues.data)
  if (images)
    return `${what}; expected a number. The images hold ${images}: it began in the data or its transforms, not in the model.`
  for (const [name, parameter] of model.parameters()) {
    const found = offenders(await parameter.data())
    if (found)
      return `${what}; expected a number. It began before this step: the parameter ${name} holds ${found}. ${advice(lr)}`
  }
  const hasImages = pixelValues.shape[0] > 0 // of several processes one may have none
  const layer = hasImages && (await firstBadLayer(model, tensor4d(pixelValues.data, pixelValues.shape)))
  if (layer) return `${what}; expected a number. It began in the forward pass, ${layer}. ${advice(lr)}`
  for (const [name, gradient] of Object.entries(grads)) {
    const found = offenders(await gradient.data())
    if (found)
      return `${what}; expected a number. It began in the backward pass: the gradient of ${name} holds ${found}. ${advice(lr)}`
  }
  return `${what}; expected a number. All parameters are finite, and so is a forward pass in float32 without dropout. ${advice(lr)}`
}

async function firstBadLayer(model: ViTForImageClassification, pixels: Tensor4D): Promise<string | undefined> {
  const { logits, hiddenStates = [] } = model.forward(pixels, { outputHiddenStates: true })
  const outputs: [place: string, output: Tensor][] = [
    ...hiddenStates.map((output, i): [string, Tensor] => [
      i === 0 ? 'in the embeddings' : `in layer ${i - 1} of ${hiddenStates.length - 1}`,
      output,
    ]),
    ['in the classifier', logits],
  ]
  try {
    for (const [place, output] of outputs) {
      const found = offenders(await output.data())
      if (found) return `${place}, whose output holds ${found}`
    }
    return undefined
  } finally {
    for (const tensor of [pixels, logits, ...hiddenStates]) tensor.dispose()
  }
}

/** How many there are, when there are any. */
function offenders(values: ArrayLike<number>): string {
  let [infinite, notANumber] = [0, 0]
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number
    if (Number.isNaN(value)) notANumber++
    else if (!Number.isFinite(value)) infinite++
  }
  const parts = [infinite && `${infinite} infinite`, notANumber && `${notANumber} NaN`].filter(part => part)
  return parts.length === 0 ? '' : `${parts.join(' and ')} of ${values.length} values`
}

const advice = (lr: number): string =>
  `The learning rate, ${lr}, may be too high: try a lower optimizer.lr, a longer schedule.warmupEpochs or a lower clipGradNorm.`
