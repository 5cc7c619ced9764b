import type { Random } from '../../random/random.ts'
import type { Batch, BatchTransform } from '../../types.ts'
import { type MixOptions, mixTransform } from './mix.ts'

/**
 * Replaces a rectangle of each image by that of another of the batch, the same for all; labels are mixed by its area
 * (torchvision's CutMix, arXiv 1905.04899).
 */
export function cutMix(options: MixOptions = {}): BatchTransform {
  return mixTransform('cutMix', options, (pixelValues, share, random) => {
    const [, , height, width] = pixelValues.shape
    const box = drawBox(random, height, width, share)
    pasteFromPrevious(pixelValues, box)
    return 1 - ((box.right - box.left) * (box.bottom - box.top)) / (height * width)
  })
}

interface Box {
  top: number
  bottom: number
  left: number
  right: number
}

/** Rectangle in the image's shape whose area, where no edge cuts it, is the part not kept; its middle is anywhere. */
function drawBox(random: Random, height: number, width: number, kept: number): Box {
  const half = 0.5 * Math.sqrt(1 - kept)
  const [x, y] = [random.below(width), random.below(height)]
  const [halfWidth, halfHeight] = [Math.trunc(half * width), Math.trunc(half * height)]
  return {
    top: Math.max(0, y - halfHeight),
    bottom: Math.min(height, y + halfHeight),
    left: Math.max(0, x - halfWidth),
    right: Math.min(width, x + halfWidth),
  }
}

/** The first image takes it from the last. */
function pasteFromPrevious({ data, shape }: Batch['pixelValues'], { top, bottom, left, right }: Box): void {
  const [, channels, height, width] = shape
  const size = channels * height * width
  const last = data.slice(data.length - size)
  for (let image = data.length - size; image >= 0; image -= size)
    for (let c = 0; c < channels; c++)
      for (let y = top; y < bottom; y++) {
        const row = (c * height + y) * width
        if (image === 0) data.set(last.subarray(row + left, row + right), row + left)
        else data.copyWithin(image + row + left, image - size + row + left, image - size + row + right)
      }
}
