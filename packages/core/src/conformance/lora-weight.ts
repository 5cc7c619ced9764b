import type { Tensor2D } from '@tensorflow/tfjs-core'
import { loraWeight } from '../ops/lora-weight.ts'
import { type ConformanceCase, type OpCase, opCase, randomValues } from './check.ts'

const shapes = [
  { Out: 1, In: 1, rank: 1, scaling: 1 },
  { Out: 5, In: 3, rank: 2, scaling: 2 },
  { Out: 17, In: 33, rank: 1, scaling: 0.5 },
  { Out: 48, In: 48, rank: 8, scaling: 1 },
  { Out: 65, In: 31, rank: 16, scaling: 1.75 },
  { Out: 257, In: 96, rank: 4, scaling: 2 },
  { Out: 96, In: 385, rank: 33, scaling: 0.125 },
]

export const loraWeightCases = (): ConformanceCase[] => shapes.map(shape => opCase(loraWeightCase(shape)))

function loraWeightCase({ Out, In, rank, scaling }: (typeof shapes)[number]): OpCase<'weight' | 'loraA' | 'loraB'> {
  return {
    name: `loraWeight: ${Out}×${In}, rank ${rank}, scaling ${scaling}`,
    inputs: {
      weight: randomValues([Out, In], 1),
      loraA: randomValues([rank, In], 2),
      loraB: randomValues([Out, rank], 3),
    },
    outputShape: [Out, In],
    run: ({ weight, loraA, loraB }) => loraWeight(weight as Tensor2D, loraA as Tensor2D, loraB as Tensor2D, scaling),
    forward: ({ weight, loraA, loraB }) =>
      weight.map((value, i) => {
        const [n, k] = [Math.floor(i / In), i % In]
        let sum = 0
        for (let j = 0; j < rank; j++) sum += (loraB[n * rank + j] as number) * (loraA[j * In + k] as number)
        return value + scaling * sum
      }),
    backward({ loraA, loraB }, dy) {
      const gradients = { weight: dy, loraA: new Float64Array(rank * In), loraB: new Float64Array(Out * rank) }
      dy.forEach((up, i) => {
        const [n, k] = [Math.floor(i / In), i % In]
        for (let j = 0; j < rank; j++) {
          const [a, b] = [j * In + k, n * rank + j]
          gradients.loraA[a] = (gradients.loraA[a] as number) + scaling * up * (loraB[b] as number)
          gradients.loraB[b] = (gradients.loraB[b] as number) + scaling * up * (loraA[a] as number)
        }
      })
      return gradients
    },
  }
}
