import { residual } from '../ops/residual.ts'
import { type ConformanceCase, opCase, randomValues } from './check.ts'
import { keep } from './random.ts'

const shapes: [shape: number[], dropPath: number][] = [
  [[1, 1], 0],
  [[3, 5, 7], 0],
  [[2, 17, 33], 0],
  [[9, 3, 5], 0.4],
  [[16, 17], 0.2],
  [[3, 197, 129], 0.5], // past what one thread takes
]

export const residualCases = (): ConformanceCase[] =>
  shapes.map(([shape, dropPathProbability]) => {
    const seed = 12
    const size = shape.slice(1).reduce((product, length) => product * length, 1)
    const keptOfSample = Array.from({ length: shape[0] as number }, (_, b) => keep(seed, b, dropPathProbability))
    const kept = (i: number): number => keptOfSample[Math.floor(i / size)] as number
    return opCase({
      name: `residual: ${shape.join('×')}, drop path ${dropPathProbability}`,
      inputs: { x: randomValues(shape, 1), branch: randomValues(shape, 2) },
      outputShape: shape,
      run: ({ x, branch }) => residual(x, branch, { dropPathProbability, seed }),
      forward: ({ x, branch }) => x.map((value, i) => value + (branch[i] as number) * kept(i)),
      backward: (_, dy) => ({ x: dy, branch: dy.map((up, i) => up * kept(i)) }),
    })
  })
