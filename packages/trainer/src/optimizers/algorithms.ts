/** The optimizers as a table: PyTorch's defaults, names of the state, and how one step is described to the kernel. */
import { describeValue } from '@vitral/core/files'
import type { AdamStep, LionStep, SgdStep } from '@vitral/core/ops'
import type { ParameterGroups } from './parameter-groups.ts'

export type OptimizerName = 'adam' | 'adamw' | 'sgd' | 'lion'

export interface OptimizerOptions {
  /** @default 1e-3, 'lion' 1e-4 */
  lr?: number
  /** An L2 term in the gradient for 'adam' and 'sgd', apart from it for 'adamw' and 'lion'. @default 0, 'adamw' 0.01 */
  weightDecay?: number
  /** 'adam', 'adamw', 'lion'. @default [0.9, 0.999], 'lion' [0.9, 0.99] */
  betas?: readonly [number, number]
  /** 'adam', 'adamw'. @default 1e-8 */
  eps?: number
  /** 'sgd'. @default 0 */
  momentum?: number
  /** 'sgd'; needs momentum. @default false */
  nesterov?: boolean
}

/** With settings for some of the parameters; `lr` and `weightDecay` are those of all others. */
export interface GroupedOptimizerOptions extends OptimizerOptions {
  groups?: ParameterGroups
}

export interface Algorithm {
  /** Every option that applies, with its default. */
  defaults: OptimizerOptions
  /** PyTorch's names of the state tensors. */
  slots: (options: Required<OptimizerOptions>) => string[]
  describe: (options: Required<OptimizerOptions>, step: number) => AdamStep | SgdStep | LionStep
}

/** AdamW is Adam with decoupled weight decay: one code path. */
const adam = (decoupled: boolean): Algorithm => ({
  defaults: { lr: 1e-3, weightDecay: decoupled ? 0.01 : 0, betas: [0.9, 0.999], eps: 1e-8 },
  slots: () => ['exp_avg', 'exp_avg_sq'],
  describe: ({ lr, weightDecay, betas: [beta1, beta2], eps }, step) => ({
    algorithm: 'adam',
    step,
    lr,
    weightDecay,
    beta1,
    beta2,
    eps,
    decoupled,
  }),
})

const sgd: Algorithm = {
  defaults: { lr: 1e-3, weightDecay: 0, momentum: 0, nesterov: false },
  slots: ({ momentum }) => (momentum === 0 ? [] : ['momentum_buffer']),
  describe: ({ lr, weightDecay, momentum, nesterov }, step) => ({
    algorithm: 'sgd',
    step,
    lr,
    weightDecay,
    momentum,
    nesterov,
  }),
}

const lion: Algorithm = {
  defaults: { lr: 1e-4, weightDecay: 0, betas: [0.9, 0.99] },
  slots: () => ['exp_avg'],
  describe: ({ lr, weightDecay, betas: [beta1, beta2] }, step) => ({
    algorithm: 'lion',
    step,
    lr,
    weightDecay,
    beta1,
    beta2,
  }),
}

export const algorithms: Record<OptimizerName, Algorithm> = { adam: adam(false), adamw: adam(true), sgd, lion }

/**
 * The options with their defaults.
 *
 * @throws naming an option that the algorithm does not have, or whose value it cannot use.
 */
export function resolveOptions(name: OptimizerName, options: OptimizerOptions): Required<OptimizerOptions> {
  if (!Object.hasOwn(algorithms, name))
    throw new Error(`There is no optimizer '${name}'; expected one of ${Object.keys(algorithms).join(', ')}.`)
  const { defaults } = algorithms[name]
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  for (const option of Object.keys(given))
    if (!Object.hasOwn(defaults, option))
      throw new Error(`The optimizer '${name}' has no option '${option}'; it has ${Object.keys(defaults).join(', ')}.`)
  const resolved = { ...defaults, ...given } as Required<OptimizerOptions>
  for (const [option, value] of Object.entries(resolved)) {
    const problem = checks[option as keyof OptimizerOptions](value as never)
    if (problem) throw new Error(`The optimizer's ${option} is ${describeValue(value)}; expected ${problem}.`)
  }
  if (resolved.nesterov && resolved.momentum === 0)
    throw new Error("The optimizer's nesterov is true but its momentum is 0; expected a momentum above 0, such as 0.9.")
  return resolved
}

const notNegative = (value: unknown) =>
  typeof value === 'number' && value >= 0 && value < Infinity ? '' : 'a number that is 0 or more'
const fraction = (value: unknown) => typeof value === 'number' && value >= 0 && value < 1

/** What is expected instead of the value, or nothing when the value is fine. */
const checks: Record<keyof OptimizerOptions, (value: unknown) => string> = {
  lr: notNegative,
  weightDecay: notNegative,
  eps: notNegative,
  betas: value =>
    Array.isArray(value) && value.length === 2 && value.every(fraction) ? '' : 'two numbers from 0 to below 1',
  momentum: notNegative,
  nesterov: value => (typeof value === 'boolean' ? '' : 'true or false'),
}
