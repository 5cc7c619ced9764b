/** What an image is brought to before its bytes become floats: channels, size, crop; one meaning for every caller. */
import { toChannels } from './channels.ts'
import { type CropRounding, centerCropImage, centerStart } from './crop.ts'
import type { RawImage } from './raw-image.ts'
import { type Interpolation, resizeImage, shortestEdgeSize } from './resize.ts'

/** Steps that bring an image to the channels and the size of a model. */
export interface ImageGeometry {
  /** 1 (luma), 3 (RGB), or what the images have. */
  channels: number
  /** To a size, squashed, or so that the shorter side gets the length and the other keeps the proportions. */
  resize?: { size: readonly [height: number, width: number] | number; interpolation: Interpolation }
  /** The middle of what was resized. */
  crop?: { size: readonly [height: number, width: number]; rounding: CropRounding }
}

/**
 * Brings an image to the channels, the size and the crop, in this order.
 *
 * @param resize resizeImage, or a faster one of the same bytes
 * @throws when the image cannot become that
 */
export function fitImage(image: RawImage, geometry: ImageGeometry, resize: typeof resizeImage = resizeImage): RawImage {
  let fitted = toChannels(image, geometry.channels)
  if (geometry.resize) {
    const { size, interpolation } = geometry.resize
    fitted = resize(fitted, typeof size === 'number' ? shortestEdgeSize(fitted, size) : size, { interpolation })
  }
  return geometry.crop ? centerCropImage(fitted, geometry.crop.size, geometry.crop.rounding) : fitted
}

/** The size of every fitted image; undefined where it depends on the image's own. */
export function fittedSize({ resize, crop }: ImageGeometry): readonly [height: number, width: number] | undefined {
  if (crop) return crop.size
  return typeof resize?.size === 'object' ? resize.size : undefined
}

/** A part of an image in shares of its sides: 0 is the upper or left edge, 1 the lower or right one; padding lies beyond. */
export interface Region {
  /** Upper edge, as a share of the image's height. */
  top: number
  /** Left edge, as a share of the image's width. */
  left: number
  /** Share of the image's height. */
  height: number
  /** Share of the image's width. */
  width: number
}

/** What of an image is left after it was fitted: for laying over it what a model says of its places. */
export function fittedRegion(
  image: Pick<RawImage, 'height' | 'width'>,
  { resize, crop }: Pick<ImageGeometry, 'resize' | 'crop'>,
): Region {
  if (!crop) return { top: 0, left: 0, height: 1, width: 1 }
  const to = resize?.size ?? [image.height, image.width]
  const [height, width] = typeof to === 'number' ? shortestEdgeSize(image, to) : to
  const [cropHeight, cropWidth] = crop.size
  return {
    top: centerStart(height, cropHeight, crop.rounding) / height,
    left: centerStart(width, cropWidth, crop.rounding) / width,
    height: cropHeight / height,
    width: cropWidth / width,
  }
}
