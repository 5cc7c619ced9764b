/** A batch as training and evaluation see it, and its parts. */
import type { Batch } from '@vitral/datasets'

/** What the loop needs of a batch: pixel values [B, c, h, w], labels [B], and after mixing also soft ones [B, K]. */
export type ImageBatch = Pick<Batch, 'pixelValues' | 'labels' | 'softLabels'> & Partial<Pick<Batch, 'indices'>>

/** Images `first` up to, but not including, `end`; views, no copies. */
export function sliceBatch({ pixelValues, labels, softLabels }: ImageBatch, first: number, end: number): ImageBatch {
  const rows = labels.subarray(first, end)
  const [, channels, height, width] = pixelValues.shape
  const size = channels * height * width
  const part: ImageBatch = {
    pixelValues: {
      data: pixelValues.data.subarray(first * size, end * size),
      shape: [rows.length, channels, height, width],
    },
    labels: rows,
  }
  if (softLabels) {
    const classes = softLabels.shape[1]
    part.softLabels = { data: softLabels.data.subarray(first * classes, end * classes), shape: [rows.length, classes] }
  }
  return part
}
