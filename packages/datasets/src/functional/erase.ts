/** Overwriting a part of an image: torchvision's erase. */
import type { ImageTensor } from '../types.ts'
import { checkIntegers } from './checks.ts'

/** One value, one for each channel, or all of them: [C, height, width]. */
export type EraseValue = number | ArrayLike<number>

/** Gives the rectangle whose corner is (top, left) other values. It has to be within the tensor. */
export function erase(
  tensor: ImageTensor,
  top: number,
  left: number,
  height: number,
  width: number,
  value: EraseValue,
): ImageTensor {
  const [channels, rows, columns] = tensor.shape
  checkIntegers('erase', { top, left, height, width }, 0)
  if (top + height > rows || left + width > columns)
    throw new Error(
      `erase: the rectangle of ${width}×${height} at (${left}, ${top}) is not within the image's ${columns}×${rows} pixels.`,
    )
  const values = typeof value === 'number' ? [value] : value
  const area = height * width
  if (![1, channels, channels * area].includes(values.length))
    throw new Error(
      `erase: value has ${values.length} numbers; expected 1, ${channels} for the channels, or ${channels * area} for all pixels.`,
    )
  const data = tensor.data.slice()
  for (let c = 0; c < channels; c++)
    for (let y = 0; y < height; y++) {
      const start = (c * rows + top + y) * columns + left
      if (values.length <= channels) data.fill(values[values.length === 1 ? 0 : c] as number, start, start + width)
      else for (let x = 0; x < width; x++) data[start + x] = values[(c * height + y) * width + x] as number
    }
  return { data, shape: tensor.shape }
}
