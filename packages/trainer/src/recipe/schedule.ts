/** A recipe's schedule, which counts in epochs, as one that counts in steps. */
import { createScheduler, type Scheduler } from '../schedules/index.ts'
import type { Recipe } from './types.ts'

/** The schedule that a recipe describes in epochs. */
export function recipeScheduler({ schedule, epochs }: Recipe, lr: number, stepsPerEpoch: number): Scheduler {
  const { name, warmupEpochs = 0, minLr, per = 'step', cycleEpochs, stepEpochs, milestoneEpochs, ...rest } = schedule
  const steps = (length: number): number => Math.round(length * stepsPerEpoch)
  return createScheduler(name, {
    ...rest,
    lr,
    minLr,
    warmupSteps: steps(warmupEpochs),
    totalSteps: epochs * stepsPerEpoch,
    every: per === 'epoch' ? stepsPerEpoch : 1,
    ...(cycleEpochs !== undefined && { cycleSteps: Math.max(1, steps(cycleEpochs)) }),
    ...(stepEpochs !== undefined && { stepSize: Math.max(1, steps(stepEpochs)) }),
    ...(milestoneEpochs && { milestones: milestoneEpochs.map(steps) }),
    ...(name === 'exponential' && { gamma: (rest.gamma ?? 0.1) ** (1 / stepsPerEpoch) }),
  })
}
