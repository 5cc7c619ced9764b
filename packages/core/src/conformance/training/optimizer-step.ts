import { clone, type Tensor, tensor1d, tidy, type Variable, variable } from '@tensorflow/tfjs-core'
import {
  type AdamStep,
  type LionStep,
  optimizerStep,
  type SgdStep,
  stateSlots,
} from '../../ops/training/optimizer-step.ts'
import {
  type ConformanceCase,
  expectClose,
  randomValues,
  shapesOfModel,
  toTensor,
  type Values,
  withoutLeak,
} from '../check.ts'

const shapes: number[][] = [[1], [3, 5], [17], [2, 33, 7], [257, 131]]
const steps = [1, 2, 3, 5000] // the last: bias corrections that have all but gone

/** Random, but for one zero in each: an element that has had no gradient yet must stay finite. */
const gradientsAt = (step: number, of: readonly number[][]): Values[] =>
  of.map((shape, i) => {
    const values = randomValues(shape, 100 * step + i)
    values.data[0] = 0
    return values
  })

type Options = AdamStep | SgdStep | LionStep

const adam = { algorithm: 'adam', step: 0, lr: 0.01, beta1: 0.9, beta2: 0.999 } as const
const lion = { algorithm: 'lion', step: 0, lr: 0.01, beta1: 0.9, beta2: 0.99 } as const
const sgd = { algorithm: 'sgd', step: 0, lr: 0.1 } as const

const optimizers: Record<string, Options> = {
  adam: { ...adam, weightDecay: 0, eps: 1e-8, decoupled: false },
  'adam, L2, scaled gradients': { ...adam, weightDecay: 0.1, eps: 1e-8, decoupled: false, gradientScale: 0.25 },
  // An eps large enough to show where it is added.
  adamw: { ...adam, beta1: 0.8, beta2: 0.95, weightDecay: 0.1, eps: 1e-2, decoupled: true },
  'adamw, scaled gradients': { ...adam, weightDecay: 0.1, eps: 1e-8, decoupled: true, gradientScale: 3 },
  sgd: { ...sgd, weightDecay: 0.01, momentum: 0, nesterov: false },
  'sgd, momentum': { ...sgd, weightDecay: 0, momentum: 0.9, nesterov: false },
  'sgd, limited gradients': {
    ...sgd,
    weightDecay: 0.01,
    momentum: 0.9,
    nesterov: false,
    gradientScale: 2,
    gradientLimit: 0.5,
  },
  'adam, limited gradients': { ...adam, weightDecay: 0.1, eps: 1e-8, decoupled: false, gradientLimit: 0.25 },
  lion: { ...lion, weightDecay: 0 },
  'lion, weight decay, scaled and limited gradients': {
    ...lion,
    beta1: 0.95,
    weightDecay: 0.1,
    gradientScale: 2,
    gradientLimit: 1,
  },
  'sgd, Nesterov, scaled gradients': { ...sgd, weightDecay: 0.01, momentum: 0.9, nesterov: true, gradientScale: 2 },
}

export const optimizerStepCases = (): ConformanceCase[] => [
  ...Object.entries(optimizers).flatMap(([name, options]) =>
    [shapes.slice(-1), shapes.slice(-2), shapes, shapesOfModel].map(some => ({
      name: `optimizerStep: ${name}, steps ${steps} of ${some.length} parameters`,
      run: () => withoutLeak(() => checkOptimizer(options, some)),
    })),
  ),
  { name: 'optimizerStep: a gradient that is NaN shows under a limit', run: () => withoutLeak(checkNanUnderLimit) },
]

/** A run that diverges must be seen: a limit may not turn NaN into a number. */
async function checkNanUnderLimit(): Promise<void> {
  const parameter = tidy(() => variable(tensor1d([1, 1])))
  const gradient = tensor1d([Number.NaN, 1])
  const options = { ...sgd, step: 1, weightDecay: 0, momentum: 0, nesterov: false, gradientLimit: 0.5 }
  optimizerStep({ parameters: [parameter], gradients: [gradient], state: [] }, options)
  const [diverged, limited] = await parameter.data()
  gradient.dispose()
  parameter.dispose()
  if (!Number.isNaN(diverged)) throw new Error(`a gradient of NaN gives the parameter ${diverged}; expected NaN`)
  if (Math.abs((limited as number) - 0.95) > 1e-6) throw new Error(`the other parameter is ${limited}; expected 0.95`)
}

async function checkOptimizer(options: Options, shapes: readonly number[][]): Promise<void> {
  const initial = shapes.map((shape, i) => randomValues(shape, 50 + i))
  const slots = stateSlots(options)
  const toVariable = (values: Values): Variable => {
    const tensor = toTensor(values)
    const made = variable(tensor)
    tensor.dispose()
    return made
  }
  const zeros = (): Values[] => shapes.map(shape => randomValues(shape, 1, 0))
  const parameters = initial.map(toVariable)
  const state = Array.from({ length: slots }, () => zeros().map(toVariable))
  const expected = initial.map(({ data }) => Array.from(data))
  const expectedState = Array.from({ length: slots }, () => zeros().map(({ data }) => Array.from(data)))

  for (const step of steps) {
    const values = gradientsAt(step, shapes)
    const gradients: Tensor[] = values.map(toTensor)
    optimizerStep({ parameters, gradients, state }, { ...options, step })
    for (const gradient of gradients) gradient.dispose()
    values.forEach(({ data }, i) => {
      updateReference(
        { ...options, step },
        expected[i] as number[],
        data,
        expectedState.map(slot => slot[i] as number[]),
      )
    })
  }
  const check = async (made: Variable, should: number[], what: string) => {
    await expectClose(clone(made), made.shape, should, what)
    made.dispose()
  }
  for (const [i, parameter] of parameters.entries()) await check(parameter, expected[i] as number[], `parameter ${i}`)
  for (const [slot, variables] of state.entries())
    for (const [i, made] of variables.entries())
      await check(made, (expectedState[slot] as number[][])[i] as number[], `state ${slot} of ${i}`)
}

/** One step as torch.optim.Adam, AdamW and SGD document it, element by element. */
function updateReference(o: Options, p: number[], gradient: Float64Array, state: number[][]): void {
  for (let i = 0; i < p.length; i++) {
    const { gradientScale = 1, gradientLimit = Infinity } = o
    let g = Math.max(-gradientLimit, Math.min(gradientLimit, (gradient[i] as number) * gradientScale))
    if (o.algorithm === 'adam') {
      const [m, v] = state as [number[], number[]]
      if (o.decoupled) p[i] = (p[i] as number) * (1 - o.lr * o.weightDecay)
      else g += o.weightDecay * (p[i] as number)
      m[i] = o.beta1 * (m[i] as number) + (1 - o.beta1) * g
      v[i] = o.beta2 * (v[i] as number) + (1 - o.beta2) * g * g
      const unbiasedM = (m[i] as number) / (1 - o.beta1 ** o.step)
      const unbiasedV = (v[i] as number) / (1 - o.beta2 ** o.step)
      p[i] = (p[i] as number) - (o.lr * unbiasedM) / (Math.sqrt(unbiasedV) + o.eps)
    } else if (o.algorithm === 'lion') {
      const [average] = state as [number[]]
      const direction = Math.sign(o.beta1 * (average[i] as number) + (1 - o.beta1) * g)
      average[i] = o.beta2 * (average[i] as number) + (1 - o.beta2) * g
      p[i] = (p[i] as number) * (1 - o.lr * o.weightDecay) - o.lr * direction
    } else {
      g += o.weightDecay * (p[i] as number)
      const [velocity] = state
      if (velocity) {
        velocity[i] = o.step === 1 ? g : o.momentum * (velocity[i] as number) + g
        g = o.nesterov ? g + o.momentum * (velocity[i] as number) : (velocity[i] as number)
      }
      p[i] = (p[i] as number) - o.lr * g
    }
  }
}
