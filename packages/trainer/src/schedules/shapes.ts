/** The schedules as a table: after the warm-up, the learning rate of each step as a pure function. */
import { plateauRate } from './plateau.ts'

export type ScheduleName =
  | 'constant'
  | 'linear'
  | 'cosine'
  | 'cosine-restarts'
  | 'one-cycle'
  | 'step'
  | 'exponential'
  | 'plateau'

/** Lengths are in steps. */
export interface ShapeOptions {
  /** Steps of the first cycle of 'cosine-restarts'. */
  cycleSteps?: number
  /** How many times as long each cycle of 'cosine-restarts' is as the one before. @default 1 */
  cycleFactor?: number
  /** 'step' multiplies the rate by gamma after each so many steps. */
  stepSize?: number
  /** 'step' multiplies the rate by gamma at each of these steps. */
  milestones?: readonly number[]
  /** Factor of 'step' and 'exponential'. @default 0.1 */
  gamma?: number
  /** Share of the run in which the rate of 'one-cycle' grows. @default 0.3 */
  pctStart?: number
  /** 'one-cycle' begins at lr / divFactor. @default 25 */
  divFactor?: number
  /** 'one-cycle' ends at lr / divFactor / finalDivFactor. @default 10000 */
  finalDivFactor?: number
  /** Factor by which 'plateau' multiplies the rate. @default 0.1 */
  factor?: number
  /** Evaluations without a lower loss for which 'plateau' waits. @default 10 */
  patience?: number
  /** A loss is lower, to 'plateau', when it is below (1 − threshold) of the best. @default 1e-4 */
  threshold?: number
  /** Evaluations after a change that 'plateau' does not count. @default 0 */
  cooldown?: number
}

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
  create: (span: Span, options: ShapeOptions) => Shape
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
    create({ lr, minLr, steps }, { cycleSteps = steps, cycleFactor = 1 }) {
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
    create({ lr, steps }, { pctStart = 0.3, divFactor = 25, finalDivFactor = 1e4 }) {
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
    create({ lr }, { stepSize, milestones, gamma = 0.1 }) {
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
      ({ lr }, { gamma = 0.1 }) =>
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
