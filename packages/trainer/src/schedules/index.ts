/** Learning-rate schedules as pure functions of the step, so that a resumed run needs nothing but its position. */
import { resolveFields } from '../recipe/kinds.ts'
import type { ScheduleName, ShapeOptions } from '../recipe/types.ts'
import { shapeFields, shapes } from './shapes.ts'

/** Options of createScheduler, lengths in steps. */
export interface ScheduleOptions extends ShapeOptions {
  /** The highest learning rate, reached when the warm-up ends. */
  lr: number
  /** Steps of the whole run, warm-up included. */
  totalSteps: number
  /** Steps of linear growth up to `lr`. @default 0 */
  warmupSteps?: number
  /** Where 'linear' and the cosines end, and below which 'plateau' does not go. @default 0 */
  minLr?: number
  /** The rate changes only every so many steps: those of an epoch. @default 1 */
  every?: number
}

/** Learning rate of a step, 0 for the first; `losses`, of the evaluations so far, matter to 'plateau' alone. */
export type Scheduler = (step: number, losses?: readonly number[]) => number

export const scheduleNames: readonly ScheduleName[] = Object.keys(shapes) as ScheduleName[]

/**
 * A schedule: linear warm-up, and then the named shape. torch.optim.lr_scheduler's ConstantLR, LinearLR,
 * CosineAnnealingLR, CosineAnnealingWarmRestarts, OneCycleLR (its cosine), StepLR or MultiStepLR, ExponentialLR and
 * ReduceLROnPlateau, with their defaults.
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
  { lr, totalSteps, warmupSteps = 0, minLr = 0, every = 1, ...options }: ScheduleOptions,
): Scheduler {
  if (!Object.hasOwn(shapes, name))
    throw new Error(`There is no schedule '${name}'; expected one of ${scheduleNames.join(', ')}.`)
  if (!(warmupSteps >= 0 && warmupSteps <= totalSteps))
    throw new Error(`The schedule's warm-up has ${warmupSteps} steps; expected 0 to totalSteps, ${totalSteps}.`)
  if (!(minLr >= 0 && minLr <= lr)) throw new Error(`The schedule's minLr is ${minLr}; expected 0 to lr, ${lr}.`)
  const entry = shapes[name]
  refuseForeign(name, entry.options, options)
  const resolved = resolveFields("The schedule's ", shapeFields, options)
  const shape = entry.create({ lr, minLr, steps: totalSteps - warmupSteps }, resolved)
  return function scheduler(step, losses = []) {
    const at = Math.floor(step / every) * every
    return at < warmupSteps ? (lr * (at + 1)) / warmupSteps : shape(at - warmupSteps, losses)
  }
}

/** @throws naming an option that schedules of another name have */
function refuseForeign(name: string, known: readonly string[], options: ShapeOptions): void {
  for (const [option, value] of Object.entries(options))
    if (value !== undefined && !known.includes(option))
      throw new Error(
        `The schedule '${name}' has no option '${option}'; it has ${known.length > 0 ? known.join(', ') : 'none of its own'}.`,
      )
}
