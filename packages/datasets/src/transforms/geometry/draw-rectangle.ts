/** A rectangle of random area and shape within an image, for the transforms that cut one out. */
import type { Random } from '../../random/random.ts'

export interface Rectangle {
  top: number
  left: number
  height: number
  width: number
}

export interface RectangleRanges {
  /** Range of its area, as parts of the image's. */
  scale: readonly [low: number, high: number]
  /** Range of its width divided by its height; as likely twice as wide as high as the reverse. */
  ratio: readonly [low: number, high: number]
}

const attempts = 10

/**
 * @param size the image's
 * @param most the largest size of the rectangle
 * @returns undefined when none of ten was small enough
 */
export function drawRectangle(
  random: Random,
  size: { width: number; height: number },
  { scale, ratio }: RectangleRanges,
  most: { width: number; height: number } = size,
): Rectangle | undefined {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const area = size.width * size.height * random.uniform(...scale)
    const shape = Math.exp(random.uniform(Math.log(ratio[0]), Math.log(ratio[1])))
    const width = Math.round(Math.sqrt(area * shape))
    const height = Math.round(Math.sqrt(area / shape))
    if (width < 1 || height < 1 || width > most.width || height > most.height) continue
    const top = random.below(size.height - height + 1)
    return { top, left: random.below(size.width - width + 1), height, width }
  }
  return undefined
}
