/** Optimizers over named parameters: state made with the optimizer, updated in place by one kernel. */
import { type Tensor, tensor, type Variable, variable, zeros } from '@tensorflow/tfjs-core'
import { optimizerStep } from '@vitral/core/ops'
import type { OptimizerName } from '../recipe/types.ts'
import { algorithms, type GroupedOptimizerOptions, resolveOptions } from './algorithms.ts'
import type { GradientClip, Gradients } from './clip-gradients.ts'
import type { ParameterSettings } from './parameter-groups.ts'

/** What an optimizer must remember to go on exactly. */
export interface OptimizerState {
  /** Steps taken by each parameter. */
  steps: Record<string, number>
  /** State by `SLOT.PARAMETER`, such as `exp_avg.classifier.bias`. */
  tensors: Map<string, { shape: number[]; data: Float32Array }>
}

/** Updates parameters by their gradients. */
export interface Optimizer {
  /** Which algorithm. */
  readonly name: OptimizerName
  /** Learning rate of the next step; set it before each step to follow a schedule. */
  lr: number
  /**
   * Updates every parameter that has a gradient; the others, and their state, stay as they are.
   * The gradients stay as they are, and the caller's to dispose.
   *
   * @param clip how to clip the gradients, as given by clipGradNorm or clipGradValue @default no clipping
   * @throws naming a gradient that belongs to no parameter.
   */
  step(grads: Gradients, clip?: GradientClip): void
  /** A copy of the state, of the parameters that have taken a step. */
  state(): Promise<OptimizerState>
  /** Goes on from a saved state. @throws naming the tensor that does not fit the parameters. */
  load(state: OptimizerState): void
  /** Frees the state. */
  dispose(): void
}

interface ParameterState {
  step: number
  settings: ParameterSettings
  slots: Variable[]
}

/**
 * An optimizer with PyTorch's semantics and defaults: torch.optim.Adam (weight decay as L2), AdamW, SGD; and Lion (Chen et
 * al. 2023), with its authors'.
 *
 * @param parameters as given by `model.parameters()`
 * @throws naming an option that the optimizer does not have, or a value it cannot use.
 * @example
 * const optimizer = createOptimizer('adamw', model.parameters(), { lr: 1e-3, weightDecay: 0.05 })
 * const { loss, grads } = model.valueAndGrads(pixelValues, labels)
 * optimizer.step(grads)
 */
export function createOptimizer(
  name: OptimizerName,
  parameters: ReadonlyMap<string, Variable>,
  { groups = () => ({}), ...options }: GroupedOptimizerOptions = {},
): Optimizer {
  const resolved = resolveOptions(name, options)
  const { describe, slots } = algorithms[name]
  const slotNames = slots(resolved)
  const states = new Map<string, ParameterState>()

  const parameterOf = (parameterName: string): Variable => {
    const parameter = parameters.get(parameterName)
    if (!parameter) throw new Error(`There is a gradient for '${parameterName}', but no parameter of that name.`)
    return parameter
  }
  const stateOf = (parameterName: string): ParameterState => {
    let state = states.get(parameterName)
    if (!state) {
      const parameter = parameterOf(parameterName)
      const { shape } = parameter
      state = {
        step: 0,
        settings: checked(parameterName, groups(parameterName, parameter)),
        slots: slotNames.map(() => ownedVariable(zeros(shape))),
      }
      states.set(parameterName, state)
    }
    return state
  }
  // Before the first pass: what lives as long as the run then has memory of its own, and the activations that come and go
  // in each step leave no gaps beside it. A step of ViT-B/16 with Adam needs a sixth less.
  const makeStates = () => {
    for (const parameterName of parameters.keys()) stateOf(parameterName)
  }
  const dispose = () => {
    for (const state of states.values()) for (const slot of state.slots) slot.dispose()
    states.clear()
  }

  makeStates()
  return {
    name,
    lr: resolved.lr,
    step(grads, { scale: gradientScale, limit: gradientLimit } = { scale: 1, limit: Infinity }) {
      const gradientNames = Object.keys(grads)
      for (const parameterName of gradientNames) parameterOf(parameterName)
      // The kernel takes one step number, learning rate and weight decay; a parameter that lacked a gradient before lags
      // behind in its steps. One call for all that have the same.
      const alike = new Map<string, string[]>()
      for (const parameterName of gradientNames) {
        const { step, settings } = stateOf(parameterName)
        const kind = `${step} ${settings.lrScale} ${settings.weightDecay}`
        alike.set(kind, [...(alike.get(kind) ?? []), parameterName])
      }
      for (const group of alike.values()) {
        const { step: before, settings } = stateOf(group[0] as string)
        const step = before + 1
        const { lrScale = 1, weightDecay = resolved.weightDecay } = settings
        const tensors = {
          parameters: group.map(parameterOf),
          gradients: group.map(parameterName => grads[parameterName] as Tensor),
          state: slotNames.map((_, slot) => group.map(parameterName => stateOf(parameterName).slots[slot] as Variable)),
        }
        const options = describe({ ...resolved, lr: this.lr * lrScale, weightDecay }, step)
        optimizerStep(tensors, { ...options, gradientScale, gradientLimit })
        for (const parameterName of group) stateOf(parameterName).step = step
      }
    },
    async state() {
      const steps: OptimizerState['steps'] = {}
      const tensors: OptimizerState['tensors'] = new Map()
      for (const [parameterName, { step, slots }] of states) {
        if (step === 0) continue
        steps[parameterName] = step
        for (const [i, slot] of slots.entries()) {
          const data = (await slot.data()).slice() as Float32Array
          tensors.set(`${slotNames[i]}.${parameterName}`, { shape: slot.shape, data })
        }
      }
      return { steps, tensors }
    },
    load({ steps, tensors }) {
      dispose()
      for (const [parameterName, step] of Object.entries(steps)) {
        const parameter = parameterOf(parameterName)
        const { shape } = parameter
        const slots = slotNames.map(slot => {
          const saved = tensors.get(`${slot}.${parameterName}`)
          if (saved?.shape.join() !== shape.join())
            throw new Error(
              `The optimizer's state '${slot}.${parameterName}' has shape [${saved?.shape ?? 'missing'}]; expected [${shape}].`,
            )
          return ownedVariable(tensor(saved.data, shape, 'float32'))
        })
        states.set(parameterName, { step, settings: checked(parameterName, groups(parameterName, parameter)), slots })
      }
      makeStates()
    },
    dispose,
  }
}

function checked(parameterName: string, settings: ParameterSettings): ParameterSettings {
  for (const [name, value] of Object.entries(settings))
    if (!(value >= 0))
      throw new Error(`The groups give '${parameterName}' the ${name} ${value}; expected a number that is 0 or more.`)
  return settings
}

function ownedVariable(initial: Tensor): Variable {
  const created = variable(initial)
  initial.dispose()
  return created
}
