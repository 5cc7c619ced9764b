/**
 * What a run must remember to go on exactly, as named sections: each part's tensors and plain data. With the recipe it
 * decides all that follows: orders, augmentation, dropout and the schedule are functions of the seed and the position.
 */
import { tensor, type Variable } from '@tensorflow/tfjs-core'
import type { LoaderPlan } from '@vitral/datasets'
import type { BestEvaluation, Judged } from '../evaluation/choose-best.ts'
import type { Optimizer, OptimizerState } from '../optimizers/index.ts'
import type { GradScaler, GradScalerState } from '../step/grad-scaler.ts'
import type { ModelEma } from '../step/model-ema.ts'

/** Where a run stands. */
export interface RunPosition {
  /** Epochs trained and evaluated. */
  epoch: number
  /** Batches trained of the epoch under way. */
  batch: number
  /** Steps trained in all. */
  step: number
  /** Sum over the images of the epoch under way of their losses, where a step's loss was a number. */
  lossSum: number
  /** Images in that sum. */
  images: number
  /** Steps of the run that the gradient scaler left out. */
  skippedSteps: number
  /** Losses of all evaluations so far. */
  losses: readonly number[]
  /** Scores of all evaluations so far, by which the best is chosen. */
  scores: readonly number[]
  /** Steps trained when the last evaluation was made. */
  evaluatedStep: number
  /** Seconds of training so far. */
  seconds: number
  /** Plan of the batches that were trained on; resuming with another is refused. */
  plan?: LoaderPlan
  /** The best evaluation so far. */
  best?: BestEvaluation
  /** Test of the best model, once the run has ended, on images that did not choose it. */
  test?: Judged
}

export const startOfRun: RunPosition = {
  epoch: 0,
  batch: 0,
  step: 0,
  lossSum: 0,
  images: 0,
  skippedSteps: 0,
  losses: [],
  scores: [],
  evaluatedStep: 0,
  seconds: 0,
}

/** Float32 tensors by name. */
export type SectionTensors = Map<string, { shape: number[]; data: Float32Array }>

/** What one part of a run must remember. */
export interface SectionState {
  /** Tensors by name. */
  tensors?: SectionTensors
  /** Plain data, kept as JSON. */
  values?: unknown
}

/** One part of a run's state. */
export interface Section {
  /** A copy of what the part must remember. */
  state(): Promise<SectionState>
  /** Goes on from what was saved. @throws naming what is missing or does not fit */
  load(state: Required<SectionState>): void
}

/** The parts of a run that have a state. */
export interface RunState {
  /** Parameters by name. */
  parameters: ReadonlyMap<string, Variable>
  /** Updates the parameters. */
  optimizer: Optimizer
  /** Scales the loss, if there is one. */
  scaler?: GradScaler
  /** Averages of the parameters, if there are any. */
  ema?: ModelEma
}

/** The sections of a checkpoint, by name; a part that another run has and this one has not is no section of it. */
export function sectionsOf({ parameters, optimizer, scaler, ema }: RunState): Record<string, Section> {
  return {
    model: parameterSection(parameters),
    optimizer: {
      state: async () => {
        const { steps, tensors } = await optimizer.state()
        return { tensors, values: steps }
      },
      load: ({ tensors, values }) => optimizer.load({ tensors, steps: values as OptimizerState['steps'] }),
    },
    ...(scaler && {
      scaler: {
        state: async () => ({ values: scaler.state() }),
        load: ({ values }) => scaler.load(values as GradScalerState),
      },
    }),
    ...(ema && {
      ema: { state: async () => ({ tensors: await ema.state() }), load: ({ tensors }) => ema.load(tensors) },
    }),
  }
}

export const parameterSection = (parameters: RunState['parameters']): Section => ({
  async state() {
    const tensors: SectionTensors = new Map()
    for (const [name, parameter] of parameters)
      tensors.set(name, { shape: parameter.shape, data: (await parameter.data()) as Float32Array })
    return { tensors }
  },
  load({ tensors }) {
    for (const [name, parameter] of parameters) {
      const saved = tensors.get(name)
      if (saved?.shape.join() !== parameter.shape.join())
        throw new Error(
          `The parameter '${name}' has shape [${saved?.shape ?? 'missing'}]; expected [${parameter.shape}].`,
        )
      const values = tensor(saved.data, parameter.shape, 'float32')
      parameter.assign(values)
      values.dispose()
    }
  },
})
