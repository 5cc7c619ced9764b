import { dropout } from '../ops/dropout.ts'
import { type ConformanceCase, opCase, randomValues } from './check.ts'
import { keep } from './random.ts'

const cases: [shape: number[], probability: number, seed: number][] = [
  [[1], 0.5, 0],
  [[3, 5], 0.1, 1],
  [[33, 17], 0.5, 2 ** 31 + 7],
  [[2, 7, 65], 0.9, 2 ** 32 - 1],
  [[31], 0, 3],
  [[3, 197, 129], 0.1, 5], // past what one thread takes
]

export const dropoutCases = (): ConformanceCase[] =>
  cases.map(([shape, probability, seed]) =>
    opCase({
      name: `dropout: ${shape.join('×')}, probability ${probability}, seed ${seed}`,
      inputs: { x: randomValues(shape, 1) },
      outputShape: shape,
      run: ({ x }) => dropout(x, { probability, seed }),
      forward: ({ x }) => x.map((value, i) => value * keep(seed, i, probability)),
      backward: (_, dy) => ({ x: dy.map((up, i) => up * keep(seed, i, probability)) }),
    }),
  )
