import { gelu as geluOp } from '../ops/gelu.ts'
import { type ConformanceCase, opCase, randomValues, type Values } from './check.ts'

/** The error function: by its Taylor series near 0, by the continued fraction of 1 − erf where that would cancel. */
function erf(x: number): number {
  if (Math.abs(x) > 2.5) {
    let tail = 0
    for (let k = 60; k > 0; k--) tail = k / 2 / (Math.abs(x) + tail)
    return Math.sign(x) * (1 - Math.exp(-x * x) / (Math.sqrt(Math.PI) * (Math.abs(x) + tail)))
  }
  let term = x
  let sum = x
  for (let n = 1; n < 60; n++) {
    term *= -(x * x) / n
    sum += term / (2 * n + 1)
  }
  return (2 / Math.sqrt(Math.PI)) * sum
}

/** x·Φ(x) */
export const gelu = (x: number): number => (x / 2) * (1 + erf(x / Math.SQRT2))

/** Φ(x) + x·φ(x) */
export const geluGradient = (x: number): number =>
  (1 + erf(x / Math.SQRT2)) / 2 + (x * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI)

const shapes: number[][] = [[2], [3, 5], [31], [16], [2, 33], [7, 65, 3]]
const manyElements = [3, 197, 129] // past what one thread takes
const extremes = [-80, -20, -9.5, -6, -1e-20, 0, 1e-20, 1e-3, 6, 9.5, 20, 80]

export const geluCases = (): ConformanceCase[] => [
  ...shapes.flatMap(shape =>
    [1, 3].map(scale => geluCase(`${shape.join('×')}, values around ${scale}`, randomValues(shape, 1, scale))),
  ),
  geluCase(manyElements.join('×'), randomValues(manyElements, 1)),
  geluCase('extremes', { shape: [extremes.length], data: Float64Array.from(extremes, Math.fround) }),
]

const geluCase = (what: string, x: Values): ConformanceCase =>
  opCase({
    name: `gelu: ${what}`,
    inputs: { x },
    outputShape: x.shape,
    run: ({ x }) => geluOp(x),
    forward: ({ x }) => x.map(gelu),
    backward: ({ x }, dy) => ({ x: x.map((value, i) => geluGradient(value) * (dy[i] as number)) }),
  })
