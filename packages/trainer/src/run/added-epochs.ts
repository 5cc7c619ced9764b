/** What more epochs change in a run that is resumed with them: its schedule is another function of the step. */
import { resolveOptions } from '../optimizers/algorithms.ts'
import { recipeScheduler } from '../recipe/schedule.ts'
import type { Recipe } from '../recipe/types.ts'
import type { RunPosition } from './state.ts'

interface Change {
  before: number
  now: number
}

/** What changes when a run is resumed for more epochs. */
export interface AddedEpochs {
  /** Number of epochs. */
  epochs: Change
  /** Steps of the whole schedule. */
  steps: Change
  /** Learning rate of the next step. */
  lr: Change
}

/**
 * @param before the recipe that the run had until now
 * @returns nothing where it had as many epochs
 */
export function addedEpochs(
  recipe: Recipe,
  before: Pick<Recipe, 'epochs'>,
  { stepsPerEpoch, position }: { stepsPerEpoch: number; position: Pick<RunPosition, 'step' | 'losses'> },
): AddedEpochs | undefined {
  if (before.epochs === recipe.epochs) return undefined
  const { name, noDecay, layerDecay, ...options } = recipe.optimizer
  const { lr = 1 } = resolveOptions(name, options)
  const rate = (epochs: number): number =>
    recipeScheduler({ ...recipe, epochs }, lr, stepsPerEpoch)(position.step, position.losses)
  const change = (of: (epochs: number) => number): Change => ({ before: of(before.epochs), now: of(recipe.epochs) })
  return { epochs: change(epochs => epochs), steps: change(epochs => epochs * stepsPerEpoch), lr: change(rate) }
}

/** In words, with the name of the schedule. */
export const describeAddedEpochs = ({ epochs, steps, lr }: AddedEpochs, { schedule }: Recipe): string =>
  `The run goes on to ${epochs.now} epochs instead of ${epochs.before}: its schedule, ${schedule.name}, has ${steps.now} steps instead of ${steps.before}, and the learning rate of the next step is ${rounded(lr.now)} instead of ${rounded(lr.before)}.`

const rounded = (rate: number): number => Number(rate.toPrecision(4))
