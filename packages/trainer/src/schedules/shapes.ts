/** The schedules as a table: their options, and the learning rate of each step after the warm-up as a pure function. */
import { aboveZero, type Fields, listOf, notNegative, number } from '../recipe/kinds.ts'
import type { ScheduleName, ShapeOptions } from '../recipe/types.ts'
import { plateauRate } from './plateau.ts'

/** Factors and counts of the schedules. */
type FactorOptions = Omit<ShapeOptions, 'cycleSteps' | 'stepSize' | 'milestones'>

/** Options of the schedules that are the same whether lengths are in steps or in epochs. */
export const factorFields: Fields<FactorOptions> = {
  cycleFactor: number('a number of 1 or more', { least: 1 })
    .default(1)
    .describe("How many times as long each cycle of 'cosine-restarts' is as the one before."),
  gamma: aboveZero.default(0.1).describe("Factor of 'step' and 'exponential'."),
  pctStart: number('a number above 0 and at most 1', { above: 0, most: 1 })
    .default(0.3)
    .describe("Share of the run in which the rate of 'one-cycle' grows."),
  divFactor: aboveZero.default(25).describe("'one-cycle' begins at lr / divFactor."),
  finalDivFactor: aboveZero.default(10_000).describe("'one-cycle' ends at lr / divFactor / finalDivFactor."),
  factor: aboveZero.default(0.1).describe("Factor by which 'plateau' multiplies the rate."),
  patience: notNegative.default(10).describe("Evaluations without a lower loss for which 'plateau' waits."),
  threshold: notNegative
    .default(1e-4)
    .describe("A loss is lower, to 'plateau', when it is below (1 − threshold) of the best."),
  cooldown: notNegative.default(0).describe("Evaluations after a change that 'plateau' does not count."),
}

/** Options of the schedules. */
export const shapeFields: Fields<ShapeOptions> = {
  cycleSteps: aboveZero.optional().describe("Steps of the first cycle of 'cosine-restarts'."),
  stepSize: aboveZero.optional().describe("'step' multiplies the rate by gamma after each so many steps."),
  milestones: listOf(expected => number(expected, { above: 0 }), 'numbers above 0')
    .optional()
    .describe("'step' multiplies the rate by gamma at each of these steps."),
  ...factorFields,
}

/** Options with their defaults. */
type Resolved = Required<FactorOptions> & ShapeOptions

export interface Span {
  lr: number
  minLr: number
  /** After the warm-up. */
  steps: number
}

/** The rate of a step counted from the warm-up's end; `losses` are those of all evaluations before. */
export type Shape = (step: number, losses: readonly number[]) => number

interface ShapeEntry {
  options: readonly (keyof ShapeOptions)[]
  create: (span: Span, options: Resolved) => Shape
}

/** From a at 0 to b at 1, by half a cosine. */
const cosine = (a: number, b: number, progress: number): number =>
  b + ((a - b) * (1 + Math.cos(Math.PI * progress))) / 2
/** Runs end where their progress is 1. */
const progressOf = (step: number, steps: number): number => Math.min(1, step / Math.max(1, steps))

export const shapes: Record<ScheduleName, ShapeEntry> = {
  constant: {
    options: [],
    create:
      ({ lr }) =>
      () =>
        lr,
  },
  linear: {
    options: [],
    create:
      ({ lr, minLr, steps }) =>
      step =>
        lr + (minLr - lr) * progressOf(step, steps),
  },
  cosine: {
    options: [],
    create:
      ({ lr, minLr, steps }) =>
      step =>
        cosine(lr, minLr, progressOf(step, steps)),
  },
  'cosine-restarts': {
    options: ['cycleSteps', 'cycleFactor'],
    create({ lr, minLr, steps }, { cycleSteps = steps, cycleFactor }) {
      return step => {
        let [start, length] = [0, cycleSteps]
        while (step >= start + length) {
          start += length
          length *= cycleFactor
        }
        return cosine(lr, minLr, (step - start) / length)
      }
    },
  },
  'one-cycle': {
    options: ['pctStart', 'divFactor', 'finalDivFactor'],
    create({ lr, steps }, { pctStart, divFactor, finalDivFactor }) {
      const [first, last] = [lr / divFactor, lr / divFactor / finalDivFactor]
      const top = pctStart * steps - 1
      const end = Math.max(top + 1, steps - 1)
      return step =>
        step <= top
          ? cosine(first, lr, top > 0 ? step / top : 1)
          : cosine(lr, last, Math.min(1, (step - top) / (end - top)))
    },
  },
  step: {
    options: ['stepSize', 'milestones', 'gamma'],
    create({ lr }, { stepSize, milestones, gamma }) {
      if ((stepSize === undefined) === (milestones === undefined))
        throw new Error("The schedule 'step' needs stepSize or milestones, one of them.")
      return step => {
        const passed = milestones
          ? milestones.filter(milestone => step >= milestone).length
          : Math.floor(step / (stepSize as number))
        return lr * gamma ** passed
      }
    },
  },
  exponential: {
    options: ['gamma'],
    create:
      ({ lr }, { gamma }) =>
      step =>
        lr * gamma ** step,
  },
  plateau: {
    options: ['factor', 'patience', 'threshold', 'cooldown'],
    create:
      ({ lr, minLr }, options) =>
      (_step, losses) =>
        plateauRate(losses, { ...options, lr, minLr }),
  },
}
