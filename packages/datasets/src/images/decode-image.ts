/** Image files to RGB bytes, with limits, since a file may have been made to do harm: one function for every runtime. */

import { checkInteger } from '@vitral/core/check'
import {
  type EncodedSource,
  encodedSource,
  type ImageSource,
  isPixelSource,
  isRawImage,
  nameOfSource,
  type PixelSource,
  readPixels,
  toChannels,
} from '@vitral/core/image'
import { listChoices } from '@vitral/core/text'
import { decoder } from '#decoder'
import { describeForeignBytes } from '../files/foreign-file.ts'
import type { RawImage } from '../types.ts'
import { BrokenImageError, type BrokenImageReason, UnreadableImageError } from './broken-image.ts'
import { type DecodeLimits, Refusal, tooSlow } from './decoder.ts'
import { type ImageFormat, type ImageHeader, imageFormats, readImageHeader } from './image-header.ts'

/** Largest number of pixels that is decoded unless another is given: 8192 × 8192. */
export const defaultMaxPixels: number = 8192 * 8192

/** Limits of decoding. */
export interface DecodeOptions {
  /** Largest number of pixels; more are refused before they are decoded. @default 67108864, 8192 × 8192 */
  maxPixels?: number
  /** Largest file. @default 134217728, 128 MiB */
  maxBytes?: number
  /** For decoding one image, all that is done once its bytes are read: whole seconds, 1 to 3600. @default 30 */
  timeoutSeconds?: number
  /** Those to accept, known by the file's bytes and not by its name. @default all of them; no TIFF and Netpbm in browsers */
  formats?: readonly ImageFormat[]
}

/**
 * Decodes a JPEG, PNG, WebP, AVIF, TIFF, GIF (its first frame), BMP or Netpbm (PBM, PGM, PPM) to RGB, as PIL's
 * convert('RGB') would: grey and palette become colour, CMYK is converted without a profile, alpha is dropped and not blended, colour profiles are not applied.
 * Unlike PIL: EXIF's orientation is applied, of 16-bit grey the high bytes are taken, and transparent pixels of a GIF
 * are black; floats from 0 to 1, bytes in 16 bits and signed values are refused. Browsers decode by their own codecs, whose
 * bytes are the same but for AVIF's, off by at most 1.
 *
 * @param source path of a file (in browsers none), its address, or its bytes; in browsers also an ImageData, ImageBitmap, canvas,
 * video, VideoFrame or image element; and pixels, which become RGB
 * @returns 3 channels
 * @throws BrokenImageError, naming the file, when it is not there, is no image, is cut off, or passes a limit;
 * UnreadableImageError when reading or decoding failed for another reason, which may pass
 * @example
 * const { width, height } = await decodeImage('cat.jpg')
 */
export async function decodeImage(source: ImageSource, options: DecodeOptions = {}): Promise<RawImage> {
  const { maxPixels = defaultMaxPixels, maxBytes = 2 ** 27, timeoutSeconds = 30, formats = imageFormats } = options
  checkInteger('timeoutSeconds', timeoutSeconds, 1, 3600)
  if (isRawImage(source)) return toChannels(source, 3)
  if (isPixelSource(source)) return readShown(source, maxPixels)
  const { name, bytes } = await open(encodedSource(source), maxBytes)
  const refuse: Refuse = (why, reason, cause) =>
    new BrokenImageError(name, `${name} cannot be decoded: ${why}`, reason, cause)
  if (bytes.length === 0) throw new BrokenImageError(name, `${name} is empty; expected an image file.`, 'damaged')
  const limits = { maxPixels, timeoutSeconds, end: performance.now() + timeoutSeconds * 1000 }
  const header = readImageHeader(bytes)
  checkFormat(header, bytes, formats, refuse)
  const { width, height } = header.size ?? { width: 0, height: 0 }
  if (width * height > maxPixels)
    throw refuse(
      `it has ${width}×${height} pixels, more than maxPixels, ${maxPixels}; raise it if that is meant.`,
      'limit',
    )
  try {
    return await inTime(decoder.decode(bytes, header, limits), limits)
  } catch (error) {
    const { message } = error as Error
    if (error instanceof Refusal) throw refuse(message, error.reason, error.cause ?? error)
    throw new UnreadableImageError(name, `${name} cannot be decoded: ${message}`, error)
  }
}

/** A decoder's thread cannot be stopped everywhere, nor between all of its steps: then its result is given up. */
async function inTime<T>(work: Promise<T>, limits: DecodeLimits): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(tooSlow(limits)), Math.max(0, limits.end - performance.now()))
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

type Refuse = (why: string, reason: BrokenImageReason, cause?: unknown) => BrokenImageError

/** @throws BrokenImageError */
function readShown(source: PixelSource, maxPixels: number): RawImage {
  const name = nameOfSource(source)
  try {
    const image = readPixels(source)
    const { width, height } = image
    if (width * height > maxPixels)
      throw new Error(
        `${name} has ${width}×${height} pixels, more than maxPixels, ${maxPixels}; raise it if that is meant.`,
      )
    return toChannels(image, 3)
  } catch (error) {
    throw new BrokenImageError(name, (error as Error).message, 'damaged', error)
  }
}

async function open(source: EncodedSource, maxBytes: number): Promise<{ name: string; bytes: Uint8Array }> {
  const name = nameOfSource(source)
  if (typeof source === 'string' || source instanceof URL) {
    try {
      return { name, bytes: await decoder.read(source, maxBytes) }
    } catch (error) {
      const message = `${name} ${(error as Error).message}`
      if (error instanceof Refusal) throw new BrokenImageError(name, message, error.reason, error.cause ?? error)
      throw new UnreadableImageError(name, message, error)
    }
  }
  const size = source instanceof Blob ? source.size : source.byteLength
  if (size > maxBytes) throw new BrokenImageError(name, `${name} has more than maxBytes, ${maxBytes} bytes.`, 'limit')
  if (source instanceof Uint8Array) return { name, bytes: source }
  return { name, bytes: new Uint8Array(source instanceof Blob ? await source.arrayBuffer() : source) }
}

const titles: Record<ImageFormat, string> = {
  jpeg: 'JPEG',
  png: 'PNG',
  webp: 'WebP',
  avif: 'AVIF',
  tiff: 'TIFF',
  gif: 'GIF',
  bmp: 'BMP',
  netpbm: 'Netpbm',
}

function checkFormat(
  header: ImageHeader | undefined,
  bytes: Uint8Array,
  allowed: readonly ImageFormat[],
  refuse: Refuse,
): asserts header is ImageHeader {
  if (header && allowed.includes(header.format) && decoder.formats.includes(header.format)) return
  const known = decoder.formats.filter(format => allowed.includes(format)).map(format => titles[format])
  const what = header ? `it is a ${titles[header.format]} image` : (describeForeignBytes(bytes) ?? describeZeros(bytes))
  const expected = listChoices(known)
  throw refuse(what ? `${what}; expected ${expected}.` : `it is no ${expected}.`, 'format')
}

/** A file whose size was written and whose content was not, as after a crash. */
const describeZeros = (bytes: Uint8Array): string | undefined =>
  bytes.subarray(0, 256).every(byte => byte === 0) ? 'it begins with zeros' : undefined
