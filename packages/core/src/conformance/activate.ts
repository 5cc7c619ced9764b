import { activate } from '../ops/activate.ts'
import type { Activation } from '../ops/activations.ts'
import { type ConformanceCase, opCase, randomValues } from './check.ts'

interface Formula {
  value: (x: number) => number
  slope: (x: number) => number
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))

/** x·σ(a·x) */
const sigmoidUnit = (a: number): Formula => ({
  value: x => x * sigmoid(a * x),
  slope: x => sigmoid(a * x) + a * x * sigmoid(a * x) * (1 - sigmoid(a * x)),
})

const inner = (x: number): number => Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)

const formulas: Readonly<Record<Exclude<Activation, 'gelu'>, Formula>> = {
  gelu_tanh: {
    value: x => (x / 2) * (1 + Math.tanh(inner(x))),
    slope: x =>
      (1 + Math.tanh(inner(x))) / 2 +
      (x / 2) * (1 - Math.tanh(inner(x)) ** 2) * Math.sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * x * x),
  },
  quick_gelu: sigmoidUnit(1.702),
  silu: sigmoidUnit(1),
  relu: { value: x => Math.max(0, x), slope: x => (x > 0 ? 1 : 0) },
}

const shapes: number[][] = [[2], [3, 5], [2, 33], [7, 65, 3]]

export const activateCases = (): ConformanceCase[] =>
  Object.entries(formulas).flatMap(([activation, { value, slope }]) =>
    shapes.map(shape =>
      opCase({
        name: `activate: ${activation}, ${shape.join('×')}`,
        inputs: { x: randomValues(shape, 1, 2) },
        outputShape: shape,
        run: ({ x }) => activate(x, activation as Activation),
        forward: ({ x }) => x.map(value),
        backward: ({ x }, dy) => ({ x: x.map((at, i) => slope(at) * (dy[i] as number)) }),
      }),
    ),
  )
