/** Learning-rate schedules as pure functions of the step, so that a resumed run needs nothing but its step. */
import type { Recipe } from './recipe.ts'

export type ScheduleName = 'constant' | 'cosine'

export interface ScheduleOptions {
  /** The highest learning rate, reached when the warm-up ends. */
  lr: number
  totalSteps: number
  /** Steps of linear growth up to `lr`. @default 0 */
  warmupSteps?: number
  /** Where the cosine ends. @default 0 */
  minLr?: number
}

/** Learning rate of a step; 0 for the first. */
export type Scheduler = (step: number) => number

/** From the end of the warm-up (progress 0) to the end of the run (progress 1): the part of `lr - minLr` to use. */
const shapes: Record<ScheduleName, (progress: number) => number> = {
  constant: () => 1,
  cosine: progress => (1 + Math.cos(Math.PI * progress)) / 2,
}

export const scheduleNames: readonly string[] = Object.keys(shapes)

/**
 * A schedule: linear warm-up, then a constant rate or half a cosine down to `minLr`.
 *
 * @throws naming the option that cannot be used.
 * @example
 * const scheduler = createScheduler('cosine', { lr: 1e-3, totalSteps: 100, warmupSteps: 10 })
 * scheduler(0) // 1e-4
 * scheduler(10) // 1e-3
 * scheduler(55) // 5e-4
 */
export function createScheduler(
  name: ScheduleName,
  { lr, totalSteps, warmupSteps = 0, minLr = 0 }: ScheduleOptions,
): Scheduler {
  if (!Object.hasOwn(shapes, name))
    throw new Error(`There is no schedule '${name}'; expected one of ${scheduleNames.join(', ')}.`)
  if (!(warmupSteps >= 0 && warmupSteps <= totalSteps))
    throw new Error(`The schedule's warm-up has ${warmupSteps} steps; expected 0 to totalSteps, ${totalSteps}.`)
  if (!(minLr >= 0 && minLr <= lr)) throw new Error(`The schedule's minLr is ${minLr}; expected 0 to lr, ${lr}.`)
  const shape = shapes[name]
  return function scheduler(step) {
    if (step < warmupSteps) return (lr * (step + 1)) / warmupSteps
    const progress = Math.min(1, (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps))
    return minLr + (lr - minLr) * shape(progress)
  }
}

/** The schedule that a recipe describes in epochs. */
export function recipeScheduler({ schedule, epochs }: Recipe, lr: number, stepsPerEpoch: number): Scheduler {
  const { name, warmupEpochs = 0, minLr } = schedule
  const warmupSteps = Math.round(warmupEpochs * stepsPerEpoch)
  return createScheduler(name, { lr, minLr, warmupSteps, totalSteps: epochs * stepsPerEpoch })
}
