import type { Tensor1D, Tensor4D } from '@tensorflow/tfjs-core'
import { patchEmbed } from '../ops/patch-embed.ts'
import { type ConformanceCase, halfCases, type OpCase, opCase, randomValues } from './check.ts'

interface Shape {
  batch: number
  channels: number
  rows: number
  columns: number
  patchHeight: number
  patchWidth: number
  hiddenSize: number
  /** Pixels beyond the last whole patch, which are left out. @default 0 */
  restHeight?: number
  /** @default 0 */
  restWidth?: number
}

const shapes: Shape[] = [
  { batch: 1, channels: 1, rows: 1, columns: 1, patchHeight: 1, patchWidth: 1, hiddenSize: 1 },
  { batch: 2, channels: 3, rows: 2, columns: 3, patchHeight: 4, patchWidth: 4, hiddenSize: 17 },
  { batch: 3, channels: 3, rows: 3, columns: 1, patchHeight: 5, patchWidth: 2, hiddenSize: 33 },
  { batch: 2, channels: 4, rows: 4, columns: 5, patchHeight: 8, patchWidth: 8, hiddenSize: 48 },
  { batch: 1, channels: 3, rows: 2, columns: 3, patchHeight: 16, patchWidth: 16, hiddenSize: 65 },
  {
    batch: 2,
    channels: 3,
    rows: 2,
    columns: 2,
    patchHeight: 8,
    patchWidth: 8,
    hiddenSize: 16,
    restHeight: 2,
    restWidth: 7,
  },
  {
    batch: 2,
    channels: 1,
    rows: 1,
    columns: 3,
    patchHeight: 4,
    patchWidth: 5,
    hiddenSize: 9,
    restHeight: 0,
    restWidth: 1,
  },
]

const imageSize = (s: Shape): [height: number, width: number] => [
  s.rows * s.patchHeight + (s.restHeight ?? 0),
  s.columns * s.patchWidth + (s.restWidth ?? 0),
]

/** Calls visit(token row, hidden index, pixel index, weight index) for every product of the embedding. */
function eachProduct(s: Shape, visit: (token: number, hidden: number, pixel: number, weight: number) => void): void {
  const [height, width] = imageSize(s)
  for (let b = 0; b < s.batch; b++)
    for (let row = 0; row < s.rows; row++)
      for (let column = 0; column < s.columns; column++)
        for (let k = 0; k < s.hiddenSize; k++)
          for (let c = 0; c < s.channels; c++)
            for (let y = 0; y < s.patchHeight; y++)
              for (let x = 0; x < s.patchWidth; x++) {
                const token = (b * s.rows + row) * s.columns + column
                const pixel =
                  ((b * s.channels + c) * height + row * s.patchHeight + y) * width + column * s.patchWidth + x
                visit(token, k, pixel, ((k * s.channels + c) * s.patchHeight + y) * s.patchWidth + x)
              }
}

export const patchEmbedCases = (): ConformanceCase[] => [
  ...shapes.map(shape => opCase(patchEmbedCase(shape))),
  ...shapes.flatMap(shape => halfCases(patchEmbedCase(shape))),
]

function patchEmbedCase(s: Shape): OpCase<'pixelValues' | 'weight' | 'bias'> {
  return {
    name: `patchEmbed: ${Object.values(s).join('×')}`,
    inputs: {
      pixelValues: randomValues([s.batch, s.channels, ...imageSize(s)], 1),
      weight: randomValues([s.hiddenSize, s.channels, s.patchHeight, s.patchWidth], 2),
      bias: randomValues([s.hiddenSize], 3),
    },
    outputShape: [s.batch, s.rows * s.columns, s.hiddenSize],
    run: ({ pixelValues, weight, bias }) => patchEmbed(pixelValues as Tensor4D, weight as Tensor4D, bias as Tensor1D),
    forward({ pixelValues, weight, bias }) {
      const C = s.hiddenSize
      const out = Float64Array.from({ length: s.batch * s.rows * s.columns * C }, (_, i) => bias[i % C] as number)
      eachProduct(s, (token, k, pixel, w) => {
        out[token * C + k] = (out[token * C + k] as number) + (pixelValues[pixel] as number) * (weight[w] as number)
      })
      return out
    },
    backward(inputs, dy) {
      const C = s.hiddenSize
      const pixelValues = new Float64Array(inputs.pixelValues.length)
      const weight = new Float64Array(inputs.weight.length)
      const bias = new Float64Array(C)
      eachProduct(s, (token, k, pixel, w) => {
        const up = dy[token * C + k] as number
        pixelValues[pixel] = (pixelValues[pixel] as number) + up * (inputs.weight[w] as number)
        weight[w] = (weight[w] as number) + up * (inputs.pixelValues[pixel] as number)
      })
      dy.forEach((up, i) => {
        bias[i % C] = (bias[i % C] as number) + up
      })
      return { pixelValues, weight, bias }
    },
  }
}
