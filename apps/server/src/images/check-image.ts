/** What an upload claims to be is settled here by its first bytes, before it costs a place in a queue. */
import { readImageHeader } from '@vitral/datasets/images'
import type { Config } from '../config.ts'
import { RequestError } from '../errors.ts'
import { uploadFormats } from './upload-formats.ts'

/** @throws RequestError, unless it is a file of these formats whose header claims no more pixels than allowed */
export function checkImage(bytes: Uint8Array, limits: Config['limits']): void {
  if (bytes.length > limits.imageBytes)
    throw new RequestError(
      'body_too_large',
      `An image has ${bytes.length} bytes; at most ${limits.imageBytes} are taken.`,
    )
  const header = readImageHeader(bytes)
  if (!header || !uploadFormats.includes(header.format))
    throw new RequestError('unsupported_format', 'An upload is no JPEG, PNG, WebP, BMP or Netpbm file.')
  if (!header.size) throw new RequestError('image_corrupt', `A ${header.format} file is cut off or damaged.`)
  const { width, height } = header.size
  if (width < 1 || height < 1)
    throw new RequestError('image_corrupt', `A ${header.format} file claims to have no pixels.`)
  if (width * height > limits.imagePixels || Math.max(width, height) > limits.imageSide)
    throw new RequestError(
      'image_too_large',
      `An image has ${width}×${height} pixels; at most ${limits.imagePixels} in all and ${limits.imageSide} a side are taken.`,
    )
}
