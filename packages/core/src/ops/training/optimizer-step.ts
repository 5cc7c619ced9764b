/** One step of an optimizer over all parameters at once, in place. */
import {
  add,
  div,
  fill,
  greater,
  less,
  mul,
  sign,
  sqrt,
  square,
  sub,
  type Tensor,
  type Variable,
  where,
} from '@tensorflow/tfjs-core'
import { checkInteger } from '../../check.ts'
import { noteInPlaceWrite } from '../../tape/in-place-writes.ts'
import { defineStep } from '../../tape/op.ts'
import { checkChoice, checkShape } from '../arguments.ts'
import { numbered } from './indexed-inputs.ts'

interface SharedOptions {
  /** 1 for the first step. */
  step: number
  lr: number
  weightDecay: number
  /** Factor of the gradients before all else: a clip, or the inverse of a loss scale. @default 1 */
  gradientScale?: number
  /** Largest size of a gradient's element, after its factor; larger ones are cut. @default none */
  gradientLimit?: number
}

/** A step of Adam or AdamW. */
export interface AdamStep extends SharedOptions {
  /** Which algorithm. */
  algorithm: 'adam'
  /** Decay of the gradient's average. */
  beta1: number
  /** Decay of the squared gradient's average. */
  beta2: number
  /** Term that keeps the denominator from 0. */
  eps: number
  /** Weight decay apart from the gradient (AdamW), instead of as an L2 term in it. */
  decoupled: boolean
}

/** A step of stochastic gradient descent. */
export interface SgdStep extends SharedOptions {
  /** Which algorithm. */
  algorithm: 'sgd'
  /** Momentum; 0 needs no state. */
  momentum: number
  /** Whether the momentum is Nesterov's. */
  nesterov: boolean
}

/** A step of Lion. */
export interface LionStep extends SharedOptions {
  /** Which algorithm. */
  algorithm: 'lion'
  /** Decay of the gradient's average. */
  beta1: number
  /** Decay of the squared gradient's average. */
  beta2: number
}

/** State slots: Adam's first and second moment; Lion's average; SGD's velocity, if it has momentum. */
export function stateSlots(
  options: { algorithm: 'adam' } | { algorithm: 'lion' } | { algorithm: 'sgd'; momentum: number },
): number {
  if (options.algorithm === 'sgd') return options.momentum === 0 ? 0 : 1
  return options.algorithm === 'adam' ? 2 : 1
}

/** The tensors of a step, parameter by parameter. */
export interface OptimizerTensors {
  /** Parameters, updated in place. */
  parameters: readonly Variable[]
  /** One for each parameter, of its shape. */
  gradients: readonly Tensor[]
  /** Slot by slot, in each one variable for each parameter, zero before the first step. */
  state: readonly (readonly Variable[])[]
}

type Update = (parameter: Tensor, gradient: Tensor, state: Tensor[]) => { parameter: Tensor; state: Tensor[] }

type StepAttrs = (Required<AdamStep> | Required<SgdStep> | Required<LionStep>) & { count: number; slots: number }

/** Within ±limit, NaN as NaN: tfjs-backend-wasm 4.22's clipByValue, minimum and maximum make a number of it. */
function limited(gradient: Tensor, limit: number): Tensor {
  const bound = (value: number) => fill(gradient.shape, value)
  return where(greater(gradient, limit), bound(limit), where(less(gradient, -limit), bound(-limit), gradient))
}

const op = defineStep('VitralOptimizerStep', (inputs, attrs: StepAttrs) => {
  const update = updates[attrs.algorithm](attrs as never)
  const states = Array.from({ length: attrs.slots }, (_, slot) => numbered(inputs, `s${slot}_`, attrs.count))
  const parameters = numbered(inputs, 'p', attrs.count)
  const gradients = numbered(inputs, 'g', attrs.count)
  parameters.forEach((parameter, i) => {
    const whole = mul(gradients[i] as Tensor, attrs.gradientScale)
    const limit = attrs.gradientLimit
    const scaled = limit < Infinity ? limited(whole, limit) : whole
    const state = states.map(slot => slot[i] as Variable)
    const updated = update(parameter, scaled, state)
    ;(parameter as Variable).assign(updated.parameter)
    state.forEach((variable, slot) => {
      variable.assign(updated.state[slot] as Tensor)
    })
  })
  return []
})

/**
 * Updates parameters and state in place, with PyTorch's semantics: torch.optim.Adam (weight decay as L2), AdamW
 * (`decoupled`), SGD with momentum and Nesterov; and Lion's (Chen et al. 2023, algorithm 2). Bytes: parameter, gradient
 * and state read once, parameter and state written once.
 *
 * @throws when the lists differ in length, or a gradient or a state in shape from its parameter.
 */
export function optimizerStep(
  { parameters, gradients, state }: OptimizerTensors,
  { gradientScale = 1, gradientLimit = Infinity, ...options }: AdamStep | SgdStep | LionStep,
): void {
  checkOptions({ ...options, gradientLimit })
  const slots = stateSlots(options)
  const asMany = [gradients, ...state].every(({ length }) => length === parameters.length)
  if (!asMany || state.length !== slots)
    throw new Error(
      `optimizerStep: ${parameters.length} parameters, ${gradients.length} gradients and ${state.length} state slots; expected as many gradients as parameters and ${slots} slots, each with a variable for each parameter.`,
    )
  const inputs: { [name: string]: Tensor } = {}
  parameters.forEach((parameter, i) => {
    const { shape } = parameter
    const gradient = gradients[i] as Tensor
    checkShape('optimizerStep', `parameter ${i}`, parameter, shape)
    checkShape('optimizerStep', `gradient ${i}`, gradient, shape)
    inputs[`p${i}`] = parameter
    inputs[`g${i}`] = gradient
    state.forEach((slot, j) => {
      checkShape('optimizerStep', `state ${j} of parameter ${i}`, slot[i] as Variable, shape)
      inputs[`s${j}_${i}`] = slot[i] as Variable
    })
  })
  noteInPlaceWrite()
  op(inputs, { ...options, gradientScale, gradientLimit, count: parameters.length, slots } as StepAttrs)
}

function checkOptions(options: AdamStep | SgdStep | LionStep): void {
  checkChoice('optimizerStep', 'algorithm', options.algorithm, Object.keys(updates))
  checkInteger('optimizerStep: step', options.step, 1)
  // Not gradientScale: of gradients that are not finite a clip is NaN, and what is done about them is the caller's.
  for (const [name, value] of Object.entries(options))
    if (typeof value === 'number' && Number.isNaN(value))
      throw new Error(`optimizerStep: ${name} is NaN; expected a number.`)
  if (options.gradientLimit !== undefined && options.gradientLimit < 0)
    throw new Error(`optimizerStep: gradientLimit is ${options.gradientLimit}; expected a number of 0 or more.`)
}

const updates: { adam: (o: AdamStep) => Update; sgd: (o: SgdStep) => Update; lion: (o: LionStep) => Update } = {
  adam:
    ({ step, lr, weightDecay, beta1, beta2, eps, decoupled }) =>
    (parameter, gradient, [m, v]) => {
      const g = decoupled ? gradient : add(gradient, mul(parameter, weightDecay))
      const decayed = decoupled ? mul(parameter, 1 - lr * weightDecay) : parameter
      const first = add(mul(m as Tensor, beta1), mul(g, 1 - beta1))
      const second = add(mul(v as Tensor, beta2), mul(square(g), 1 - beta2))
      const denominator = add(mul(sqrt(second), (1 - beta2 ** step) ** -0.5), eps)
      const change = mul(div(first, denominator), lr / (1 - beta1 ** step))
      return { parameter: sub(decayed, change), state: [first, second] }
    },
  lion:
    ({ lr, weightDecay, beta1, beta2 }) =>
    (parameter, gradient, [average]) => {
      const direction = sign(add(mul(average as Tensor, beta1), mul(gradient, 1 - beta1)))
      const moved = add(mul(average as Tensor, beta2), mul(gradient, 1 - beta2))
      return { parameter: sub(mul(parameter, 1 - lr * weightDecay), mul(direction, lr)), state: [moved] }
    },
  sgd:
    ({ step, lr, weightDecay, momentum, nesterov }) =>
    (parameter, gradient, [velocity]) => {
      const g = add(gradient, mul(parameter, weightDecay))
      if (!velocity) return { parameter: sub(parameter, mul(g, lr)), state: [] }
      const moved = step === 1 ? g : add(mul(velocity, momentum), g)
      const change = nesterov ? add(g, mul(moved, momentum)) : moved
      return { parameter: sub(parameter, mul(change, lr)), state: [moved] }
    },
}
