/** Where the model looked in the images of a report: its attention, rolled out over all layers. */
import { type Tensor4D, tensor4d, tidy } from '@tensorflow/tfjs-core'
import { attentionRollout, type ViTForImageClassification } from '@vitral/core'
import { rolloutOptions } from '@vitral/core/vit'
import { functional, type RawImage } from '@vitral/datasets'
import { greatest, least } from '../numbers.ts'
import type { AttentionMap, ExampleImage } from './example-images.ts'

/**
 * Gives each image its map: of the class token, or of the patches' mean where that is pooled. One forward pass for each, one after
 * the other, since each keeps an N×N matrix a head.
 */
export async function addAttentionMaps(
  model: ViTForImageClassification,
  images: readonly ExampleImage[],
): Promise<void> {
  for (const image of images) image.attention = await attentionMap(model, image)
}

async function attentionMap(
  model: ViTForImageClassification,
  { pixelValues, shape: [channels, height, width] }: ExampleImage,
): Promise<AttentionMap | undefined> {
  const { patchSize } = model.config
  const [patchHeight, patchWidth] = typeof patchSize === 'number' ? [patchSize, patchSize] : patchSize
  const grid = [Math.floor(height / patchHeight), Math.floor(width / patchWidth)] as const
  const map = tidy(() => {
    const pixels: Tensor4D = tensor4d(pixelValues, [1, channels, height, width])
    const { attentions = [] } = model.forward(pixels, { outputAttentions: true })
    return attentions.length > 0 ? attentionRollout(attentions, grid, rolloutOptions(model.config)) : undefined
  })
  if (!map) return undefined
  try {
    return { data: (await map.data()) as Float32Array, rows: grid[0], columns: grid[1] }
  } finally {
    map.dispose()
  }
}

/** The patches that least came from keep this part of their brightness, so that the image stays recognisable. */
const darkest = 0.12

/**
 * The image with each place as bright as the model drew on it. The residual connections bring something of every patch:
 * the least is dark, or all would look alike.
 *
 * @param image bytes, [height, width, channels]
 * @returns as many bytes
 */
export function shadeByAttention(
  { data, width, height, channels }: RawImage,
  { data: map, rows, columns }: AttentionMap,
): Uint8Array {
  const low = least(map)
  const range = greatest(map) - low || 1
  const levels = Uint8Array.from(map, value => Math.round((255 * (value - low)) / range))
  const shades = functional.resize({ data: levels, width: columns, height: rows, channels: 1 }, [height, width], {
    interpolation: 'bicubic',
  })
  return Uint8Array.from(data, (value, i) =>
    Math.round(value * (darkest + ((1 - darkest) * (shades.data[Math.floor(i / channels)] as number)) / 255)),
  )
}
