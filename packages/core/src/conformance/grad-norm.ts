import { gradNorm } from '../ops/grad-norm.ts'
import { type ConformanceCase, expectClose, randomValues, toTensor, withoutLeak } from './check.ts'

const shapes: number[][] = [[1], [3, 5], [17], [2, 33, 7], [257, 131]]

export const gradNormCases = (): ConformanceCase[] =>
  [1, 2, shapes.length].map(count => ({
    name: `gradNorm: ${count} gradients`,
    run: () =>
      withoutLeak(async () => {
        const values = shapes.slice(-count).map((shape, i) => randomValues(shape, i))
        const gradients = values.map(toTensor)
        let squares = 0
        for (const { data } of values) for (const value of data) squares += value ** 2
        await expectClose(gradNorm(gradients), [], [Math.sqrt(squares)], 'the norm')
        for (const gradient of gradients) gradient.dispose()
      }),
  }))
