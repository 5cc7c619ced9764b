import { clone, type Tensor, type Variable, variable } from '@tensorflow/tfjs-core'
import { gradNorm } from '../ops/grad-norm.ts'
import { type AdamStep, optimizerStep, type SgdStep, stateSlots } from '../ops/optimizer-step.ts'
import { unscale } from '../ops/unscale.ts'
import { type ConformanceCase, expectClose, randomValues, toTensor, type Values, withoutLeak } from './check.ts'

const sizes: number[][] = [[1], [3, 5], [17], [2, 33, 7], [65, 31]]
const gradientsAt = (step: number): Values[] => sizes.map((shape, i) => randomValues(shape, 100 * step + i))

type Options = AdamStep | SgdStep

const optimizers: Record<string, Options> = {
  adam: {
    algorithm: 'adam',
    step: 0,
    lr: 0.01,
    weightDecay: 0.1,
    beta1: 0.9,
    beta2: 0.999,
    eps: 1e-8,
    decoupled: false,
  },
  adamw: {
    algorithm: 'adam',
    step: 0,
    lr: 0.01,
    weightDecay: 0.1,
    beta1: 0.8,
    beta2: 0.95,
    eps: 1e-6,
    decoupled: true,
  },
  'adam, scaled gradients': {
    ...{ algorithm: 'adam', step: 0, lr: 0.01, weightDecay: 0, beta1: 0.9, beta2: 0.999, eps: 1e-8, decoupled: false },
    gradientScale: 0.25,
  },
  sgd: { algorithm: 'sgd', step: 0, lr: 0.1, weightDecay: 0.01, momentum: 0, nesterov: false },
  'sgd, momentum': { algorithm: 'sgd', step: 0, lr: 0.1, weightDecay: 0, momentum: 0.9, nesterov: false },
  'sgd, Nesterov': {
    algorithm: 'sgd',
    step: 0,
    lr: 0.1,
    weightDecay: 0.01,
    momentum: 0.9,
    nesterov: true,
    gradientScale: 2,
  },
}

export const optimizerStepCases = (): ConformanceCase[] =>
  Object.entries(optimizers).map(([name, options]) => ({
    name: `optimizerStep: ${name}, three steps of ${sizes.length} parameters`,
    run: () => withoutLeak(() => checkOptimizer(options)),
  }))

export const gradNormCases = (): ConformanceCase[] =>
  [1, 2, sizes.length].map(count => ({
    name: `gradNorm: ${count} gradients`,
    run: () =>
      withoutLeak(async () => {
        const values = gradientsAt(1).slice(0, count)
        const gradients = values.map(toTensor)
        const squares = values.flatMap(({ data }) => [...data]).reduce((sum, value) => sum + value ** 2, 0)
        await expectClose(gradNorm(gradients), [Math.sqrt(squares)], 'the norm')
        for (const gradient of gradients) gradient.dispose()
      }),
  }))

export const unscaleCases = (): ConformanceCase[] =>
  [undefined, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN].map(poison => ({
    name: `unscale: ${poison === undefined ? 'finite' : `one ${poison}`}`,
    run: () =>
      withoutLeak(async () => {
        const values = gradientsAt(2)
        const last = values.at(-1) as Values
        if (poison !== undefined) last.data[last.data.length - 1] = poison
        const gradients = values.map(toTensor)
        const { gradients: scaled, foundNonFinite } = unscale(gradients, 0.125)
        await expectClose(foundNonFinite, [poison === undefined ? 0 : 1], 'foundNonFinite')
        for (const [i, tensor] of scaled.entries())
          if (poison === undefined || i < scaled.length - 1)
            await expectClose(
              tensor,
              (values[i] as Values).data.map(value => value * 0.125),
              `gradient ${i}`,
            )
          else tensor.dispose()
        for (const gradient of gradients) gradient.dispose()
      }),
  }))

async function checkOptimizer(options: Options): Promise<void> {
  const initial = sizes.map((shape, i) => randomValues(shape, 50 + i))
  const slots = stateSlots(options)
  const toVariable = (values: Values): Variable => {
    const tensor = toTensor(values)
    const made = variable(tensor)
    tensor.dispose()
    return made
  }
  const zeros = (): Values[] => sizes.map(shape => randomValues(shape, 1, 0))
  const parameters = initial.map(toVariable)
  const state = Array.from({ length: slots }, () => zeros().map(toVariable))
  const expected = initial.map(({ data }) => Array.from(data))
  const expectedState = Array.from({ length: slots }, () => zeros().map(({ data }) => Array.from(data)))

  for (let step = 1; step <= 3; step++) {
    const values = gradientsAt(step)
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
    await expectClose(clone(made), should, what)
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
    let g = (gradient[i] as number) * (o.gradientScale ?? 1)
    if (o.algorithm === 'adam') {
      const [m, v] = state as [number[], number[]]
      if (o.decoupled) p[i] = (p[i] as number) * (1 - o.lr * o.weightDecay)
      else g += o.weightDecay * (p[i] as number)
      m[i] = o.beta1 * (m[i] as number) + (1 - o.beta1) * g
      v[i] = o.beta2 * (v[i] as number) + (1 - o.beta2) * g * g
      const unbiasedM = (m[i] as number) / (1 - o.beta1 ** o.step)
      const unbiasedV = (v[i] as number) / (1 - o.beta2 ** o.step)
      p[i] = (p[i] as number) - (o.lr * unbiasedM) / (Math.sqrt(unbiasedV) + o.eps)
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
