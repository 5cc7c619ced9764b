/** The optimizers as a table: PyTorch's defaults, names of the state, and how one step is described to the kernel. */
import type { AdamStep, LionStep, SgdStep } from '@vitral/core/ops'
import { z } from 'zod'
import { type Fields, notNegative, number, resolveFields, trueOrFalse } from '../recipe/kinds.ts'
import type { OptimizerName, OptimizerOptions } from '../recipe/types.ts'
import type { ParameterGroups } from './parameter-groups.ts'

/** With settings for some of the parameters; `lr` and `weightDecay` are those of all others. */
export interface GroupedOptimizerOptions extends OptimizerOptions {
  /** Settings of single parameters. */
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
  const resolved = resolveFields("The optimizer's ", optimizerFields, { ...defaults, ...given })
  if (resolved.nesterov && resolved.momentum === 0)
    throw new Error("The optimizer's nesterov is true but its momentum is 0; expected a momentum above 0, such as 0.9.")
  return resolved
}

const beta = number('two numbers from 0 to below 1', { least: 0, below: 1 })
const betas = z.tuple([beta, beta], 'two numbers from 0 to below 1').readonly()

/** The option's default, and that of each optimizer with another: 0, 'adamw' 0.01. */
function note(option: keyof OptimizerOptions): { defaultNote: string } {
  const defaults = Object.entries(algorithms).map(([name, { defaults }]) => [name, defaults[option]] as const)
  const given = defaults.filter(([, value]) => value !== undefined)
  const [[, first]] = given as [[string, unknown]]
  const written = (value: unknown): string => JSON.stringify(value)
  const others = given.filter(([, value]) => written(value) !== written(first))
  return { defaultNote: [written(first), ...others.map(([name, value]) => `'${name}' ${written(value)}`)].join(', ') }
}

/** Names of the optimizers that have the option. */
const having = (option: keyof OptimizerOptions): string =>
  Object.entries(algorithms)
    .filter(([, { defaults }]) => defaults[option] !== undefined)
    .map(([name]) => `'${name}'`)
    .join(', ')

const described = <T>(schema: z.ZodType<T>, option: keyof OptimizerOptions, description: string) =>
  schema.optional().meta({ description, ...note(option) })

/** Options of the optimizers: checks and descriptions; the defaults are those of each algorithm. */
export const optimizerFields: Fields<OptimizerOptions> = {
  lr: described(notNegative, 'lr', 'Highest learning rate.'),
  weightDecay: described(
    notNegative,
    'weightDecay',
    "Weight decay: an L2 term in the gradient for 'adam' and 'sgd', apart from it for 'adamw' and 'lion'.",
  ),
  betas: described(betas, 'betas', `Decay of the moving averages of the gradient and its square. ${having('betas')}.`),
  eps: described(notNegative, 'eps', `Term that keeps the denominator from 0. ${having('eps')}.`),
  momentum: described(notNegative, 'momentum', `Momentum. ${having('momentum')}.`),
  nesterov: described(trueOrFalse, 'nesterov', `Nesterov's momentum. ${having('nesterov')}; needs momentum.`),
}
