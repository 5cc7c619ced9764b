import { erase } from '../../functional/erase.ts'
import { fillNormal } from '../../random/distributions.ts'
import type { ImageTensor, Transform } from '../../types.ts'
import { aboveZero, checkNumber, checkRange, tensorTransform } from '../define.ts'
import { drawRectangle } from './draw-rectangle.ts'

/** Settings of `randomErasing`. */
export interface RandomErasingOptions {
  /** Share of the images that are erased. @default 0.5 */
  probability?: number
  /** Area of the rectangle, as parts of the image's. @default [0.02, 0.33] */
  scale?: readonly [low: number, high: number]
  /** Height of the rectangle divided by its width. @default [0.3, 3.3] */
  ratio?: readonly [low: number, high: number]
  /** What it is filled with: one number, one for each channel, or standard normal numbers. @default 0 */
  value?: number | readonly number[] | 'random'
}

/**
 * Erases a rectangle with a probability, after toTensor and normalize (torchvision's RandomErasing). An image for which
 * ten rectangles drawn are too large stays as it is.
 */
export function randomErasing(options: RandomErasingOptions = {}): Transform<ImageTensor, ImageTensor> {
  const { probability = 0.5, scale = [0.02, 0.33], ratio = [0.3, 3.3], value = 0 } = options
  checkNumber('randomErasing', 'probability', probability, 0, 1)
  checkRange('randomErasing', 'scale', scale, 0, 1)
  checkRange('randomErasing', 'ratio', ratio, aboveZero)
  if (value !== 'random' && ![value].flat().every(Number.isFinite))
    throw new Error(
      `randomErasing: value is ${JSON.stringify(value)}; expected a number, one for each channel, or 'random'.`,
    )
  const ranges = { scale, ratio: [1 / ratio[1], 1 / ratio[0]] } as const
  return tensorTransform('randomErasing', [options], (tensor, random) => {
    if (!random.chance(probability)) return tensor
    const [channels, rows, columns] = tensor.shape
    const size = { width: columns, height: rows }
    const rectangle = drawRectangle(random, size, ranges, { width: columns - 1, height: rows - 1 })
    if (!rectangle) return tensor
    const { top, left, height, width } = rectangle
    if (value !== 'random') return erase(tensor, top, left, height, width, value)
    const noise = new Float32Array(channels * height * width)
    fillNormal(random, noise)
    return erase(tensor, top, left, height, width, noise)
  })
}
