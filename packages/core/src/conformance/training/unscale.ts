import { unscale } from '../../ops/training/unscale.ts'
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
const scale = 0.125

interface Poison {
  value: number
  /** Which gradient, and which of its elements, has the value. */
  gradient: number
  element: number
}

const poisons: Poison[] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN].flatMap(value => [
  { value, gradient: 0, element: 0 },
  { value, gradient: 3, element: 100 },
  { value, gradient: 4, element: 257 * 131 - 1 },
])

export const unscaleCases = (): ConformanceCase[] => [
  unscaleCase('one gradient', [randomValues([3, 5], 1)]),
  unscaleCase('finite', random()),
  // Each is finite, their sum is not.
  unscaleCase('finite, of 3e38 each', [{ shape: [7], data: new Float64Array(7).fill(Math.fround(3e38)) }, ...random()]),
  ...poisons.map(poison => {
    const { value, gradient, element } = poison
    return unscaleCase(`${value} in element ${element} of gradient ${gradient}`, random(), [poison])
  }),
  unscaleCase('several that are not finite', random(), poisons), // still 1, no count
  unscaleCase(`${shapesOfModel.length} gradients, finite`, random(shapesOfModel)),
  ...[0, 7, shapesOfModel.length - 1].map(gradient =>
    unscaleCase(`${shapesOfModel.length} gradients, NaN in gradient ${gradient}`, random(shapesOfModel), [
      { value: Number.NaN, gradient, element: 1 },
    ]),
  ),
]

const random = (of: readonly number[][] = shapes): Values[] => of.map((shape, i) => randomValues(shape, i))

function unscaleCase(what: string, values: Values[], poisons: Poison[] = []): ConformanceCase {
  return {
    name: `unscale: ${what}`,
    run: () =>
      withoutLeak(async () => {
        const inputs = values.map(({ data, ...rest }) => ({ ...rest, data: data.slice() }))
        for (const { value, gradient, element } of poisons) (inputs[gradient] as Values).data[element] = value
        const gradients = inputs.map(toTensor)
        const { gradients: scaled, foundNonFinite } = unscale(gradients, scale)
        await expectClose(foundNonFinite, [], [poisons.length > 0 ? 1 : 0], 'foundNonFinite')
        for (const [i, { shape, data }] of values.entries()) {
          const tensor = scaled[i] as (typeof scaled)[number]
          // The step is skipped then, so what became of a poisoned gradient does not matter.
          if (poisons.some(({ gradient }) => gradient === i)) tensor.dispose()
          else
            await expectClose(
              tensor,
              shape,
              data.map(value => value * scale),
              `gradient ${i}`,
            )
        }
        for (const gradient of gradients) gradient.dispose()
      }),
  }
}
