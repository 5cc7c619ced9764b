/**
 * The learning rate range test: a short training whose learning rate grows by the same factor at each step. Where the
 * loss falls fastest is a good rate to begin with. Smith, 2017, "Cyclical Learning Rates"; fastai's lr_find.
 */

import { checkInteger } from '@vitral/core/check'
import { deriveSeed } from '@vitral/core/tape'
import { nextTurn } from '#platform' // signals wait for the event loop's
import type { TrainingData } from '../data/training-data.ts'
import { least } from '../numbers.ts'
import { type AssembleOptions, assemble } from '../run/assemble.ts'
import type { ImageBatch } from '../step/batch.ts'
import { NonFiniteError } from '../step/non-finite.ts'
import { trainStep } from '../step/train-step.ts'
import { type SmoothPoint, type Suggestion, smoothCurve, suggestRate } from './suggest-rate.ts'

/** Options of lrFind. */
export interface LrFindOptions extends Omit<AssembleOptions, 'collectives'> {
  /** The first learning rate. @default 1e-7 */
  from?: number
  /** The last learning rate. @default 10 */
  to?: number
  /** How many rates are tried. @default 100 */
  steps?: number
  /** Stops between two steps; what is known then is returned. */
  signal?: AbortSignal
  /** Called after each step, 1 for the first. */
  onStep?: (step: number, loss: number) => void
}

/** What a search for a learning rate came to. */
export interface LrFindResult {
  /** One for each step whose loss was a number. */
  points: SmoothPoint[]
  /** Nothing when the loss did not fall. */
  suggestion?: Suggestion
  /** Whether the loss grew beyond four times its least, or was no number any more, before the last step. */
  diverged: boolean
}

/** What lrFind tries unless other rates are given. */
export const lrFindDefaults = { from: 1e-7, to: 10, steps: 100 } as const

/** Losses averaged on either side of a step: about a sixth of the test is looked at as one. */
const reachOf = (steps: number): number => Math.max(1, Math.round(steps / 12))

/**
 * Trains a recipe's model on its data at growing learning rates, and frees it again. Nothing is written.
 *
 * @throws naming an option that cannot be used; when data or recipe cannot be used; when the first loss
 * is no number already.
 * @example
 * const { suggestion } = await lrFind({ recipe: recipes['cifar10-micro'], data: 'data' })
 * suggestion?.steepest // 0.0012
 */
export async function lrFind(options: LrFindOptions): Promise<LrFindResult> {
  const { recipe, from = lrFindDefaults.from, to = lrFindDefaults.to, steps = lrFindDefaults.steps } = options
  const { signal, onStep } = options
  if (!(from > 0)) throw new Error(`The first learning rate is ${from}; expected a number above 0.`)
  if (!(to > from && to < Number.POSITIVE_INFINITY))
    throw new Error(`The last learning rate is ${to}; expected a number above the first, ${from}.`)
  checkInteger('lrFind: steps', steps, 10)

  // Averages of the parameters change no loss, and need the memory of a second model.
  const training = await assemble({ ...options, recipe: { ...recipe, ema: null } })
  const { data, model, optimizer } = training
  const points: { lr: number; loss: number }[] = []
  const reach = reachOf(steps)
  let diverged = false
  try {
    for await (const batch of endlessBatches(data)) {
      if (batch.labels.length === 0) continue
      const step = points.length
      optimizer.lr = Number((from * (to / from) ** (step / (steps - 1))).toPrecision(6)) // the last digits of a power differ between engines
      const seed = deriveSeed(recipe.seed, step)
      const result = await trainStep(model, optimizer, batch, { ...training.step, seed })
      if (Number.isFinite(result.loss)) points.push({ lr: optimizer.lr, loss: result.loss })
      onStep?.(points.length, result.loss)
      diverged = !Number.isFinite(result.loss) || hasDiverged(points, reach)
      await nextTurn()
      if (diverged || points.length === steps || signal?.aborted) break
    }
  } catch (error) {
    if (!(error instanceof NonFiniteError) || points.length === 0) throw error
    diverged = true
  } finally {
    model.dispose()
    await training.dispose()
  }
  const curve = smoothCurve(points, reach)
  return { points: curve, suggestion: suggestRate(curve, reach), diverged }
}

async function* endlessBatches(data: TrainingData): AsyncGenerator<ImageBatch> {
  for (let epoch = 0; ; epoch++) yield* data.train({ epoch, firstBatch: 0 })
}

/** Whether the mean of the last losses is beyond four times the least such mean. fastai's rule. */
function hasDiverged(points: readonly { loss: number }[], window: number): boolean {
  const means: number[] = []
  for (let end = window; end <= points.length; end++)
    means.push(points.slice(end - window, end).reduce((sum, { loss }) => sum + loss / window, 0))
  return means.length > 0 && (means.at(-1) as number) > 4 * least(means)
}
