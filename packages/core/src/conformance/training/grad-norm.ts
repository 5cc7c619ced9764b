import { gradNorm } from '../../ops/training/grad-norm.ts'
import { type ConformanceCase, expectClose, randomValues, shapesOfModel, toTensor, withoutLeak } from '../check.ts'

const shapes: number[][] = [[1], [3, 5], [17], [2, 33, 7], [257, 131]]

export const gradNormCases = (): ConformanceCase[] =>
  [shapes.slice(-1), shapes.slice(-2), shapes, shapesOfModel].map(some => ({
    name: `gradNorm: ${some.length} gradients`,
    run: () =>
      withoutLeak(async () => {
        const values = some.map((shape, i) => randomValues(shape, i))
        const gradients = values.map(toTensor)
        let squares = 0
        for (const { data } of values) for (const value of data) squares += value ** 2
        await expectClose(gradNorm(gradients), [], [Math.sqrt(squares)], 'the norm')
        for (const gradient of gradients) gradient.dispose()
      }),
  }))
