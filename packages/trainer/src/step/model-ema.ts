/** The exponential moving average of a model's parameters, which often generalises better than the last of them. */
import { clone, mul, tensor, type Variable, variable } from '@tensorflow/tfjs-core'
import { optimizerStep } from '@vitral/core/ops'
import { type Fields, resolveFields, share, trueOrFalse } from '../recipe/kinds.ts'
import type { ModelEmaOptions } from '../recipe/types.ts'

/** Options of createModelEma. */
export const modelEmaFields: Fields<ModelEmaOptions> = {
  decay: share.default(0.9999).describe('How much of the average stays at each step.'),
  warmup: trueOrFalse
    .default(true)
    .describe('Whether early steps decay faster, by (1 + step) / (10 + step): else the first values last.'),
}

type Parameters = ReadonlyMap<string, Variable>

/**
 * Averages of parameters. timm's ModelEma and tf.train.ExponentialMovingAverage.
 *
 * @example
 * const ema = createModelEma(model.parameters(), { decay: 0.999 })
 * ema.update(step) // after each optimizer step
 * ema.swap() // the model now has the averages
 * await evaluate(model, batches, options)
 * ema.swap() // and now its own again
 */
export interface ModelEma {
  /** Moves the averages towards the parameters. @param step trained so far, 1 after the first */
  update(step: number): void
  /** Exchanges the averages with the parameters; no value is copied. */
  swap(): void
  /** A copy of the averages, by the parameters' names. */
  state(): Promise<Map<string, { shape: number[]; data: Float32Array }>>
  /** Goes on from saved averages. @throws naming the average that is missing or does not fit its parameter */
  load(state: ReadonlyMap<string, { shape: readonly number[]; data: Float32Array }>): void
  /** Frees the averages. */
  dispose(): void
}

/** Averages that begin with the parameters' values. @throws when the decay is not a number from 0 to 1 */
export function createModelEma(parameters: Parameters, options: ModelEmaOptions = {}): ModelEma {
  const { decay, warmup } = resolveFields('ModelEma: ', modelEmaFields, options)
  const averages = new Map([...parameters].map(([name, parameter]) => [name, copied(parameter)]))
  const pairs = (): [Variable, Variable][] =>
    [...parameters].map(([name, parameter]) => [averages.get(name) as Variable, parameter])

  return {
    update(step) {
      const kept = warmup ? Math.min(decay, (1 + step) / (10 + step)) : decay
      // average −= (1 − kept)·(average − parameter): a step of SGD whose weight decay is the average and whose negated
      // gradient is the parameter, so that one pass over the memory does it.
      optimizerStep(
        { parameters: pairs().map(([average]) => average), gradients: [...parameters.values()], state: [] },
        { algorithm: 'sgd', step, lr: 1 - kept, weightDecay: 1, momentum: 0, nesterov: false, gradientScale: -1 },
      )
    },
    swap() {
      for (const [average, parameter] of pairs()) {
        const held = clone(average)
        average.assign(parameter)
        parameter.assign(held)
        held.dispose()
      }
    },
    async state() {
      const state = new Map<string, { shape: number[]; data: Float32Array }>()
      for (const [name, average] of averages)
        state.set(name, { shape: average.shape, data: (await average.data()).slice() as Float32Array })
      return state
    },
    load(state) {
      for (const [name, average] of averages) {
        const saved = state.get(name)
        if (saved?.shape.join() !== average.shape.join())
          throw new Error(
            `The average of '${name}' has shape [${saved?.shape ?? 'missing'}]; expected [${average.shape}].`,
          )
        const values = tensor(saved.data, average.shape, 'float32')
        average.assign(values)
        values.dispose()
      }
    },
    dispose() {
      for (const average of averages.values()) average.dispose()
    },
  }
}

/** A variable with memory of its own: optimizers write in place. */
function copied(parameter: Variable): Variable {
  const values = mul(parameter, 1)
  const copy = variable(values)
  values.dispose()
  return copy
}
