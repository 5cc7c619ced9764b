/** Checks an upload by its first bytes, before it takes a place in a queue. */
import { readImageHeader } from '@vitral/datasets/images'
import type { Config } from '../config.ts'
import { RequestError } from '../errors.ts'
import { uploadFormats } from './upload-formats.ts'

/** @throws RequestError unless it is a file of an accepted format whose header claims no more pixels than the limits allow */
export function checkImage(bytes: Uint8Array, limits: Config['limits']): void {
  if (bytes.length > limits.imageBytes)
    throw new RequestError(
      'body_too_large',
      `An image has ${bytes.length} bytes; expected at most ${limits.imageBytes}.`,
    )
  const header = readImageHeader(bytes)
  if (!header || !uploadFormats.includes(header.format))
    throw new RequestError(
      'unsupported_format',
      'Unsupported image format; expected a JPEG, PNG, WebP, BMP or Netpbm file.',
    )
  if (!header.size) throw new RequestError('image_corrupt', `The ${header.format} file is truncated or damaged.`)
  const { width, height } = header.size
  if (width < 1 || height < 1)
    throw new RequestError('image_corrupt', `The ${header.format} file claims to have no pixels.`)
  if (width * height > limits.imagePixels || Math.max(width, height) > limits.imageSide)
    throw new RequestError(
      'image_too_large',
      `An image has ${width}×${height} pixels; expected at most ${limits.imagePixels} in total and ${limits.imageSide} a side.`,
    )
}
