/** Images as small files, for pages that show them. */
import { checkImage } from '@vitral/core/image'
import type { RawImage } from '../types.ts'

/** Settings of `encodePicture`. */
export interface EncodePictureOptions {
  /** An image with a longer side is made smaller. @default as it is */
  maxSide?: number
}

/**
 * A PNG of a small image, to the last bit; a JPEG of one with a side above 64 pixels.
 *
 * @example
 * const { bytes, mimeType } = await encodePicture(image, { maxSide: 160 })
 */
export async function encodePicture(
  image: RawImage,
  { maxSide = Number.POSITIVE_INFINITY }: EncodePictureOptions = {},
): Promise<{ bytes: Uint8Array; mimeType: 'image/png' | 'image/jpeg' }> {
  checkImage(image)
  const { data, width, height, channels } = image
  const { default: sharp } = await import('sharp')
  const longest = Math.max(width, height)
  const picture = sharp(data, { raw: { width, height, channels: channels as 1 | 3 } })
  if (longest > maxSide) picture.resize({ width: maxSide, height: maxSide, fit: 'inside' })
  return longest <= 64
    ? { bytes: await picture.png().toBuffer(), mimeType: 'image/png' }
    : { bytes: await picture.jpeg({ quality: 85 }).toBuffer(), mimeType: 'image/jpeg' }
}
